#include "tools/bench/patch_bench.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <stdexcept>

#include "runtime/control/realtime_rights.hpp"
#include "runtime/control/render.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/io/choose_device.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

namespace {

double thread_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double quantile(const std::vector<double>& sorted, double q) {
    return sorted[std::min(sorted.size() - 1,
                           static_cast<std::size_t>(q * static_cast<double>(sorted.size())))];
}

/// Prepares a thread as live threads are. Without the right to real-time priority, other work on the machine
/// shows.
void live_thread() {
    prepare_worker(AudioRequest().priority);
}

std::size_t phases(int frames) {
    return static_cast<std::size_t>(std::max(1, phase_cycle_frames / frames));
}

class Measurement {
public:
    Measurement(const Graph& graph, double rate_hz, int frames, int threads = 1)
        : rate_hz_(rate_hz),
          frames_(frames),
          engine_(EngineConfig{.room = {.sample_rate_hz = rate_hz,
                                        .max_frames = frames,
                                        .midi_ports = 0,
                                        .crew = {.threads = threads, .prepare = live_thread}}}),
          in_(channels(graph, Door::in), std::vector<float>(static_cast<std::size_t>(frames))),
          out_(channels(graph, Door::out), std::vector<float>(static_cast<std::size_t>(frames))) {
        engine_.play(graph);
        engine_.tick();
        if (!engine_.playing()) throw std::runtime_error(engine_.refusal().front().text());
        for (const auto& channel : in_) from_.push_back(channel.data());
        for (auto& channel : out_) to_.push_back(channel.data());
    }

    /// Plays the last input once more. Returns microseconds by the wall clock.
    double play_block() {
        const auto begin = std::chrono::steady_clock::now();
        engine_.room().process(from_.data(), static_cast<int>(from_.size()), to_.data(),
                               static_cast<int>(to_.size()), frames_);
        return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    }
    void settle() {
        play(0.2, false);
        engine_.tick();
    }
    Crew* crew() { return engine_.room().crew(); }

    /// Microseconds of each block, in order. The first block begins a cycle of phases.
    std::vector<double> play(double seconds, bool move, bool silent = false) {
        std::vector<double> us;
        auto blocks = std::max<std::size_t>(200, static_cast<std::size_t>(seconds * rate_hz_ / frames_));
        blocks = (blocks + phases(frames_) - 1) / phases(frames_) * phases(frames_);
        const int every = std::max(1, static_cast<int>(0.015 * rate_hz_ / frames_));  // ramps take 20 ms
        for (std::size_t block = 0; block < blocks; ++block) {
            if (move && block % static_cast<std::size_t>(every) == 0) move_knobs();
            for (auto& channel : in_)
                for (float& x : channel) x = silent ? 0.f : noise_(random_);
            const double begin = thread_us();
            engine_.room().process(from_.data(), static_cast<int>(from_.size()), to_.data(),
                                   static_cast<int>(to_.size()), frames_);
            us.push_back(thread_us() - begin);
            engine_.tick();
        }
        return us;
    }

    void slowest(PatchCost& cost) const {
        for (const auto& slot : engine_.playing()->slots) {
            const double share = double{slot->usual_ticks.value()} * rate_hz_ / ticks_per_second();
            if (share <= cost.slowest_share) continue;
            cost.slowest_share = share;
            cost.slowest_node = slot->description.id;
        }
    }

private:
    static std::size_t channels(const Graph& graph, Door door) {
        return static_cast<std::size_t>(std::max(1, channels_used(graph, door)));
    }

    void move_knobs() {
        const Arrangement& playing = *engine_.playing();
        for (std::size_t n = 0; n < playing.graph.nodes.size(); ++n)
            for (std::size_t p = 0; p < playing.graph.nodes[n].params.size(); ++p) {
                const ParamSpec& spec = playing.graph.nodes[n].params[p];
                const GraphTarget target{.node = static_cast<int>(n),
                                         .param = static_cast<int>(p),
                                         .min = spec.min,
                                         .max = spec.max};
                std::uniform_real_distribution<float> value(spec.min, spec.max);
                engine_.set(target, value(random_));
            }
    }

    const double rate_hz_;
    const int frames_;
    Engine engine_;
    std::vector<std::vector<float>> in_, out_;
    std::vector<const float*> from_;
    std::vector<float*> to_;
    std::mt19937 random_{1};
    std::uniform_real_distribution<float> noise_{-0.43f, 0.43f};  // -12 dBFS RMS
};

BlockTimes summary(std::vector<double> us) {
    std::sort(us.begin(), us.end());
    return {quantile(us, 0.5), quantile(us, 0.99), us.back()};
}

double worst_phase(const std::vector<double>& us, std::size_t phase_count) {
    double worst = 0.;
    for (std::size_t phase = 0; phase < phase_count; ++phase) {
        std::vector<double> there;
        for (std::size_t block = phase; block < us.size(); block += phase_count) there.push_back(us[block]);
        worst = std::max(worst, summary(there).median_us);
    }
    return worst;
}

}  // namespace

namespace {

/// Plays a few blocks of each in turn, so that noise affects both.
ThreadGain compare_threads(const Graph& graph, double sample_rate_hz, int frames, double seconds) {
    Measurement one(graph, sample_rate_hz, frames), two(graph, sample_rate_hz, frames, 2);
    one.settle();
    two.settle();
    ThreadGain gain;
    const CrewStats& stats = two.crew()->stats();
    if (stats.shared + stats.alone == 0) return gain;
    gain.has_branches = true;
    const std::uint64_t shared_before = stats.shared, alone_before = stats.alone;
    std::vector<double> one_us, two_us;
    // The turns are so short that the worker does not fall asleep in between.
    const int turn = std::clamp(static_cast<int>(1'000. / one.play_block()), 3, 50);
    const auto rounds = std::max(20, static_cast<int>(seconds * sample_rate_hz / frames / turn));
    for (int round = 0; round < rounds; ++round) {
        for (int block = 0; block < turn; ++block) one_us.push_back(one.play_block());
        for (int block = 0; block < turn; ++block) two_us.push_back(two.play_block());
    }
    gain.one_us = summary(std::move(one_us)).median_us;
    gain.two_us = summary(std::move(two_us)).median_us;
    const auto shared = static_cast<double>(stats.shared - shared_before),
               alone = static_cast<double>(stats.alone - alone_before);
    gain.shared = shared / std::max(1., shared + alone);
    return gain;
}

}  // namespace

/// Each takes megabytes.
constexpr std::size_t stack_of_two_engines = std::size_t{16} << 20;

ThreadGain measure_threads(const Graph& graph, double sample_rate_hz, int frames, double seconds) {
    ThreadGain gain;
    std::exception_ptr failed;
    Thread(
        "",
        [&] {
            try {
                live_thread();
                gain = compare_threads(graph, sample_rate_hz, frames, seconds);
            } catch (...) {
                failed = std::current_exception();
            }
        },
        stack_of_two_engines)
        .join();
    if (failed) std::rethrow_exception(failed);
    return gain;
}

PatchCost measure_patch(const Graph& graph, double sample_rate_hz, int frames, double seconds) {
    Measurement measurement(graph, sample_rate_hz, frames);
    measurement.play(0.2, false);  // caches and the start ramp
    PatchCost cost;
    cost.frames = frames;
    cost.period_us = frames / sample_rate_hz * 1e6;
    cost.resting = summary(measurement.play(seconds, false));
    measurement.slowest(cost);
    const std::vector<double> moving = measurement.play(seconds, true);
    cost.moving = summary(moving);
    measurement.play(seconds, false, true);  // sound that rings on
    cost.silence_us = summary(measurement.play(seconds, false, true)).median_us;
    cost.times_real_time = cost.period_us / std::max(cost.resting.median_us, 1e-3);
    cost.worst_phase_us = worst_phase(moving, phases(frames));
    cost.worst_share = cost.worst_phase_us / cost.period_us;
    return cost;
}

}  // namespace gainstage
