#include <fmt/format.h>

#include <functional>
#include <memory>
#include <vector>

#include "nodes/all_nodes.hpp"
#include "runtime/node_memory.hpp"
#include "runtime/prepared.hpp"
#include "tools/bench/engine/sections.hpp"
#include "tools/bench/zoo.hpp"

namespace gainstage {

namespace {

/// A stereo model node alone, as one instance among twins.
class Instance {
public:
    explicit Instance(const std::shared_ptr<const Model>& model)
        : node_(type_that_plays(all_nodes(), model->architecture)
                    ->prepare(*model, model->sample_rate_hz)
                    ->make(setup_of(model))),
          memory_(*node_) {
        for (const ModelControl& control : model->controls) ramps_.push_back(settled(control.start));
    }
    /// Until everything that it remembers has been written.
    void play_long() {
        std::vector<float> sound(block_frames, 0.1f), left(sound.size()), right(sound.size());
        const PortBuffer in{.channel = {sound.data(), sound.data()}, .channels = 2},
            out{.channel = {left.data(), right.data()}, .channels = 2};
        for (std::int64_t time = 0; time < node_->memory_samples() && time < 48'000; time += block_frames)
            node_->process({.time = static_cast<std::uint64_t>(time),
                            .frames = block_frames,
                            .inputs = &in,
                            .outputs = &out,
                            .params = ramps_.data(),
                            .readings = readings_});
    }
    NodeMemory& memory() { return memory_; }

private:
    static constexpr int block_frames = 512;

    static Setup setup_of(const std::shared_ptr<const Model>& model) {
        Setup setup;
        setup.sample_rate_hz = model->sample_rate_hz;
        setup.channels = 2;
        setup.input_channels = setup.output_channels = {2};
        setup.options.values = {{"link", true}};
        for (const ModelControl& control : model->controls) setup.start.push_back(control.start);
        return setup;
    }

    std::unique_ptr<Node> node_;
    NodeMemory memory_;
    std::vector<Ramp> ramps_;
    std::atomic<float> readings_[2] = {};
};

double nanoseconds(const std::function<void()>& work) {
    constexpr int times = 20;
    const auto begin = Clock::now();
    for (int t = 0; t < times; ++t) work();
    return seconds_since(begin) / times * 1e9;
}

}  // namespace

/// What a panic and a change that keeps a node cost the audio thread: at most as much as one plain copy of
/// the same bytes, and a little for each span.
void state_cost(BenchReport& report) {
    for (const Exhibit& exhibit : zoo()) {
        const std::shared_ptr<const Model> model = exhibit.make().read();
        Instance one(model), twin(model);
        twin.play_long();
        const std::vector<std::byte> from(one.memory().bytes());
        std::vector<std::byte> to(from.size());
        std::vector<double> resets, copies, plain;
        for (int round = 0; round < (report.quick ? 15 : 100); ++round) {
            plain.push_back(nanoseconds([&] { std::copy(from.begin(), from.end(), to.begin()); }));
            copies.push_back(nanoseconds([&] { one.memory().copy(twin.memory()); }));
            resets.push_back(nanoseconds([&] { one.memory().reset(); }));
        }
        const double limit = 1.5 * median(plain) + 300.;
        const std::string more = fmt::format("{:.1f} kB, plain copy {:.0f} ns",
                                             static_cast<double>(from.size()) / 1e3, median(plain));
        report.row("copy: " + exhibit.name, fmt::format("<= {:.0f} ns", limit), median(copies), limit, "ns",
                   more);
        report.row("reset: " + exhibit.name, fmt::format("<= {:.0f} ns", limit), median(resets), limit, "ns");
    }
}

}  // namespace gainstage
