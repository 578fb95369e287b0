#include "runtime/plan/settle.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "runtime/plan/arrangement.hpp"
#include "runtime/realtime/denormals.hpp"
#include "runtime/realtime/slot.hpp"

namespace gainstage {

namespace {

/// Above these a player hears something that shouldn't be there: a step at every mute, hiss in a pause.
constexpr double offset_limit_dbfs = -60., noise_limit_dbfs = -70.;

constexpr double most_operations = 1e9;
constexpr double listened_s = 0.1;  ///< of the end
/// What plays louder blows up.
constexpr float ceiling = 15.8489319f;  // +24 dBFS
constexpr int piece_frames = 512;

double db_of(double amplitude) {
    return amplitude > 0. ? std::max(Rest::silent_dbfs, 20. * std::log10(amplitude)) : Rest::silent_dbfs;
}

struct RestTime {
    int frames;
    bool is_enough;  ///< to forget what came before
};
/// The same for one channel and for two, which must play the same bits. A node that keeps windows needs some
/// of them.
RestTime time_to_rest(const Node& node, const PreparedFacts& facts, const Setup& setup) {
    const double operations = facts.operations * facts.sample_rate_hz / setup.sample_rate_hz;
    const double most = most_operations / std::max(operations, 1.);
    const double wanted = static_cast<double>(node.memory_samples()) + node.latency_samples() +
                          listened_s * setup.sample_rate_hz;
    const double least = 4. * node.latency_samples() + piece_frames;
    return {static_cast<int>(std::max(least, std::min(wanted, most))), wanted <= std::max(least, most)};
}

/// Plays silence to a node and keeps what leaves its first output.
class Silence {
public:
    Silence(Node& node, const NodeType& type, const Setup& setup)
        : node_(node),
          most_(std::min(setup.max_frames, piece_frames)),
          in_(ports_of(setup.input_channels)),
          out_(ports_of(setup.output_channels)),
          readings_(type.readings.size()) {
        for (const float value : setup.start) ramps_.push_back(settled(value));
        ramps_.insert(ramps_.end(), Slot::extra_count, settled(0.f));
    }

    void play(int frames, const std::atomic<bool>* given_up) {
        const FlushDenormals flush;
        for (int done = 0; done < frames;) {
            unless_given_up(given_up);
            Block block;
            block.time = static_cast<std::uint64_t>(done);
            block.frames = std::min(most_, frames - done);
            block.inputs = in_.data();
            block.outputs = out_.data();
            block.params = ramps_.data();
            block.readings = readings_.data();
            node_.process(block);
            heard_.insert(heard_.end(), block.out(0), block.out(0) + block.frames);
            done += block.frames;
        }
    }
    const std::vector<float>& heard() const noexcept { return heard_; }

private:
    std::vector<PortBuffer> ports_of(const std::vector<int>& channels) {
        std::vector<PortBuffer> ports(channels.size());
        for (std::size_t p = 0; p < ports.size(); ++p) {
            ports[p].channels = channels[p];
            for (float*& channel : ports[p].channel)
                channel = sounds_.emplace_back(static_cast<std::size_t>(most_)).data();
        }
        return ports;
    }

    Node& node_;
    const int most_;
    std::vector<std::vector<float>> sounds_;  ///< of all ports
    const std::vector<PortBuffer> in_, out_;
    std::vector<std::atomic<float>> readings_;
    std::vector<Ramp> ramps_;
    std::vector<float> heard_;
};

/// Of the end.
Rest rest_of(const std::vector<float>& heard, double rate_hz) {
    const auto count = std::min(heard.size() / 2, static_cast<std::size_t>(listened_s * rate_hz));
    const auto first = heard.end() - static_cast<std::ptrdiff_t>(count);
    double mean = 0., power = 0.;
    for (auto x = first; x != heard.end(); ++x) mean += double{*x} / static_cast<double>(count);
    for (auto x = first; x != heard.end(); ++x)
        power += (double{*x} - mean) * (double{*x} - mean) / static_cast<double>(count);
    return {.offset_dbfs = db_of(std::abs(mean)), .noise_dbfs = db_of(std::sqrt(power))};
}

bool blows_up(const std::vector<float>& heard) {
    return !std::all_of(heard.begin(), heard.end(), [](float x) { return std::abs(x) <= ceiling; });
}

bool begins_at_zero(const Setup& setup) {
    return setup.options.has("start") && setup.options.get<std::string>("start") == "zero";
}

}  // namespace

Rest settle(Node& node, NodeMemory& memory, const NodeType& type, const Prepared& prepared,
            const Setup& setup, const std::atomic<bool>* given_up) {
    if (const auto known = prepared.rests().find(setup)) {
        memory.keep(known->state);
        return known->rest;
    }
    Silence silence(node, type, setup);
    const RestTime time = time_to_rest(node, prepared.facts(), setup);
    silence.play(time.frames, given_up);
    Rest rest{.blows_up = blows_up(silence.heard())};
    if (!rest.blows_up) rest = rest_of(silence.heard(), setup.sample_rate_hz);
    rest.is_known = time.is_enough;
    if (begins_at_zero(setup) || rest.blows_up)
        memory.reset();
    else
        memory.keep();
    prepared.rests().add({.setup = setup, .rest = rest, .state = memory.image()});
    return rest;
}

std::string warning_of_offset(double offset_dbfs) {
    if (!(offset_dbfs > offset_limit_dbfs)) return "";
    return fmt::format("emits a DC of {:.1f} dBFS at silence; put a dc_block node after it", offset_dbfs);
}

std::string warning_of_noise(double noise_dbfs) {
    if (!(noise_dbfs > noise_limit_dbfs)) return "";
    return fmt::format("sounds by itself at silence, at {:.1f} dBFS RMS", noise_dbfs);
}

}  // namespace gainstage
