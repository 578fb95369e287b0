#include "tools/bench/node_bench.hpp"

#include <algorithm>
#include <chrono>
#include <random>

#include "runtime/model/model.hpp"
#include "runtime/plan/build_node.hpp"
#include "runtime/realtime/denormals.hpp"
#include "runtime/realtime/plan.hpp"
#include "runtime/resolve/settings.hpp"
#include "tools/bench/patch_bench.hpp"

namespace gainstage {

namespace {

constexpr int rounds = 10;

const std::vector<float>& noise() {
    static const std::vector<float> samples = [] {
        std::mt19937 random{1};
        std::uniform_real_distribution<float> value{-0.43f, 0.43f};
        std::vector<float> made(48'000);
        for (float& x : made) x = value(random);
        return made;
    }();
    return samples;
}

double ns_per_tick() {
    static const double ns = 1e9 / ticks_per_second();
    return ns;
}

/// Ticks that it takes to read the counter twice.
double ticks_of_reading() {
    std::uint64_t least = ~std::uint64_t{0};
    for (int i = 0; i < 1'000; ++i) {
        const std::uint64_t begin = read_ticks();
        least = std::min(least, read_ticks() - begin);
    }
    return static_cast<double>(least);
}

double quantile(std::vector<double>& values, double q) {
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(std::min(q * static_cast<double>(values.size()),
                                                              static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// Counters of some machines advance in steps of 10 ns, the time that a small model takes for a few samples.
/// So runs of blocks give the cost of a block, and single blocks give the spread.
class Stopwatch {
public:
    explicit Stopwatch(const Player& player, int frames)
        : player_(player), frames_(frames), out_(static_cast<std::size_t>(frames)) {}

    double ns_of_block() { return ns_of_blocks(1); }
    void play(double seconds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
        for (int i = 0; i < 20; ++i) ns_of_block();  // caches and branches
        if (run_ == 0) run_ = blocks_of(shortest_run_ns);
        do {
            for (int i = 0; i < 16; ++i) single_ns_.push_back(ns_of_block());
            for (int i = 0; i < 16; ++i) run_ns_.push_back(ns_of_blocks(run_) / run_);
        } while (std::chrono::steady_clock::now() < end);
    }
    BlockCost cost() {
        const double frames = frames_;
        return {.frames = frames_,
                .median_ns = quantile(run_ns_, 0.5) / frames,
                .p99_ns = quantile(single_ns_, 0.99) / frames,
                .max_ns = *std::max_element(single_ns_.begin(), single_ns_.end()) / frames};
    }

private:
    static constexpr double shortest_run_ns = 4'000.;
    static constexpr int most_blocks = 1'000;

    double ns_of_blocks(int blocks) {
        const std::uint64_t begin = read_ticks();
        for (int i = 0; i < blocks; ++i) {
            const float* in = noise_ + at_;
            at_ += 2 * static_cast<std::size_t>(frames_);
            if (at_ >= end_) at_ -= end_;  // a division would show up with the smallest models
            player_(in, out_.data(), frames_);
        }
        const auto ticks = static_cast<double>(read_ticks() - begin);
        return std::max(0., ticks - reading_) * ns_per_tick();
    }
    /// Number of blocks that last at least `ns`.
    int blocks_of(double ns) {
        int blocks = 1;
        while (blocks < most_blocks && ns_of_blocks(blocks) < ns) ++blocks;
        return blocks;
    }

    const Player& player_;
    const int frames_;
    const float* const noise_ = noise().data();
    const std::size_t end_ = noise().size() - static_cast<std::size_t>(frames_);  ///< blocks begin before
    const double reading_ = ticks_of_reading();
    std::vector<float> out_;
    std::vector<double> single_ns_, run_ns_;
    std::size_t at_ = 0;
    int run_ = 0;  ///< blocks
};

constexpr int most_frames = 512;

Setup setup_of(const NodeType& type, const std::shared_ptr<const Model>& model, int channels) {
    Setup setup{.sample_rate_hz = model->sample_rate_hz,
                .max_frames = most_frames,
                .channels = channels,
                .input_channels = std::vector<int>(type.inputs.size(), channels),
                .output_channels = std::vector<int>(type.outputs.size(), channels),
                .options = {},
                .start = {}};
    for (const OptionSpec& option : type.options)
        if (const auto value = default_value(option)) setup.options.values.emplace_back(option.name, *value);
    for (const ModelControl& control : model->controls) setup.start.push_back(control.start);
    for (const ParamSpec& param : type.params) setup.start.push_back(param.start);
    return setup;
}

}  // namespace

LoneNode::LoneNode(const NodeType& type, const std::shared_ptr<const Model>& model, int channels)
    : readings_(std::make_unique<std::atomic<float>[]>(type.readings.size() + 1)),
      channels_(channels),
      other_(most_frames) {
    const Setup setup = setup_of(type, model, channels);
    node_ = build_node(type, type.prepare(*model, setup.sample_rate_hz).get(), setup);
    for (const float value : setup.start) ramps_.push_back(settled(value));
    for (const ModelControl& control : model->controls) ranges_.push_back({control.min, control.max});
    for (const ParamSpec& param : type.params) ranges_.push_back({param.min, param.max});
}

/// Every knob takes 20 ms from one end to the other.
void LoneNode::play_moving(const float* in, float* out, int frames) {
    constexpr std::uint32_t length = 960;
    for (std::size_t i = 0; i < ramps_.size(); ++i) {
        Ramp& ramp = ramps_[i];
        if (ramp.moving(time_)) continue;
        const float to = ramp.to < ranges_[i].max ? ranges_[i].max : ranges_[i].min;
        ramp = {.start = time_, .length = length, .from = ramp.to, .to = to};
    }
    play(in, out, frames);
}

void LoneNode::play(const float* in, float* out, int frames) {
    PortBuffer input, output;
    input.channels = output.channels = channels_;
    input.channel.fill(const_cast<float*>(in));  // a node only reads its inputs
    output.channel = {out, channels_ > 1 ? other_.data() : out};
    node_->process({.time = time_,
                    .frames = frames,
                    .inputs = &input,
                    .outputs = &output,
                    .params = ramps_.data(),
                    .readings = readings_.get()});
    time_ += static_cast<std::uint64_t>(frames);
}

std::vector<BlockCost> measure_players(const std::vector<Player>& players, int frames, double seconds) {
    const FlushDenormals as_the_engine;
    std::vector<Stopwatch> watches;
    for (const Player& player : players) watches.emplace_back(player, frames);
    for (int round = 0; round < rounds; ++round)
        for (Stopwatch& watch : watches) watch.play(seconds / rounds);
    std::vector<BlockCost> costs;
    for (Stopwatch& watch : watches) costs.push_back(watch.cost());
    return costs;
}

PhaseCost measure_phases(const Player& player, int frames, double seconds) {
    const FlushDenormals as_the_engine;
    Stopwatch watch(player, frames);
    const auto phases = static_cast<std::size_t>(std::max(1, phase_cycle_frames / frames));
    std::vector<std::vector<double>> ns(phases);
    std::vector<double> all;
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    for (std::size_t block = 0; std::chrono::steady_clock::now() < end || block % phases != 0; ++block) {
        const double cost = watch.ns_of_block() / frames;
        if (block < 2 * phases) continue;  // caches and branches
        ns[block % phases].push_back(cost);
        all.push_back(cost);
    }
    PhaseCost cost{.median_ns = quantile(all, 0.5)};
    for (std::vector<double>& phase : ns)
        cost.worst_phase_ns = std::max(cost.worst_phase_ns, quantile(phase, 0.5));
    return cost;
}

double measure_cold_us(const Player& player, int frames, int takes, void (*empty)()) {
    const FlushDenormals as_the_engine;
    Stopwatch watch(player, frames);
    watch.play(0.01);
    std::vector<double> us;
    for (int take = 0; take < takes; ++take) {
        empty();
        us.push_back(watch.ns_of_block() * 1e-3);
    }
    return quantile(us, 0.5);
}

}  // namespace gainstage
