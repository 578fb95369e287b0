#include <fmt/format.h>

#include <functional>
#include <utility>
#include <vector>

#include "nodes/dsp/decibel.hpp"
#include "runtime/engine/engine.hpp"
#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

namespace {

/// The least that a list of separate nodes costs: one call per gain, from one buffer to the next.
struct FlatGain {
    float factor;
};
__attribute__((noinline)) void play_flat(const FlatGain& gain, const float* in, float* out, int frames) {
    for (int k = 0; k < frames; ++k) out[k] = in[k] * gain.factor;
}

class Chain {
public:
    Chain(int nodes, int frames, bool shipped)
        : frames_(frames),
          engine_(EngineConfig{.room = {.sample_rate_hz = 48'000.,
                                        .max_frames = frames,
                                        .midi_ports = 0,
                                        .watch = shipped,
                                        .time_nodes = shipped}}),
          in_(static_cast<std::size_t>(frames), 0.3f),
          out_(static_cast<std::size_t>(frames)) {
        engine_.play(graph_of(chain_patch(nodes)));
        engine_.tick();
        for (int block = 0; block < 4'000 / frames + 50; ++block) play();
        engine_.tick();
    }
    void play() {
        const float* from = in_.data();
        float* to = out_.data();
        engine_.room().process(&from, 1, &to, 1, frames_);
    }

private:
    const int frames_;
    Engine engine_;
    std::vector<float> in_, out_;
};

double time_of(int times, const std::function<void()>& work) {
    const auto begin = Clock::now();
    for (int t = 0; t < times; ++t) work();
    return seconds_since(begin) / times;
}

}  // namespace

void graph_cost(BenchReport& report) {
    for (const int nodes : {100, 1'000}) {
        for (const int frames : {64, 16}) {
            std::vector<FlatGain> flat;
            for (int n = 0; n < nodes; ++n) flat.push_back({db_to_gain(n % 2 ? 0.1f : -0.1f)});
            std::vector<float> a(static_cast<std::size_t>(frames), 0.3f), b = a;
            const auto play_list = [&] {
                float *from = a.data(), *to = b.data();
                for (const FlatGain& gain : flat) {
                    play_flat(gain, from, to, frames);
                    std::swap(from, to);
                }
            };
            for (const bool shipped : {true, false}) {
                Chain chain(nodes, frames, shipped);
                std::vector<double> ratios, chain_ns, flat_ns;
                const int times = 40'000 / nodes;
                for (int round = 0; round < (report.quick ? 15 : 60);
                     ++round) {  // in turn, so that noise affects both
                    const double list = time_of(times, play_list),
                                 graph = time_of(times, [&] { chain.play(); });
                    ratios.push_back(graph / list);
                    chain_ns.push_back(graph / nodes * 1e9);
                    flat_ns.push_back(list / nodes * 1e9);
                }
                const double limit = shipped ? 2.5 : 1.6;
                report.row(
                    fmt::format("graph: {} gains, {} frames, {}", nodes, frames,
                                shipped ? "as shipped" : "no timing, no checks"),
                    fmt::format("<= {}", limit), median(ratios), limit, "x",
                    fmt::format("{:.1f} ns a node, flat list {:.1f}", median(chain_ns), median(flat_ns)));
            }
        }
    }
    put("  (64 frames, ns a node, measured elsewhere: flat list 5.3, Pure Data 5.4, SuperCollider 7.5, "
        "Elementary 19, JUCE 20, miniaudio 59)\n");
}

}  // namespace gainstage
