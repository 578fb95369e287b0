#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"

namespace gainstage {

namespace {

/// Cost of each block, in us of thread time, in the order of the stream.
struct SwapCosts {
    std::vector<double> alone[2], fading, catching;
};

/// Only the costs are random: the same blocks come in the same order every time.
SwapCosts swap_often(const std::vector<Graph>& graphs, int frames, int swaps) {
    SwapCosts costs;
    Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = frames, .midi_ports = 0}});
    bool in_fade = false;
    engine.listen([&](const EngineNews& news) {
        if (news.kind == EngineNews::Kind::started) in_fade = true;
        if (news.kind == EngineNews::Kind::finished) in_fade = false;
    });
    engine.play(graphs[0]);
    engine.tick();
    std::mt19937 random(1);
    std::uniform_real_distribution<float> noise(-0.3f, 0.3f);
    std::vector<float> in(static_cast<std::size_t>(frames)), out(in.size());
    const auto play = [&] {
        for (float& x : in) x = noise(random);
        const float* from = in.data();
        float* to = out.data();
        const double begin = thread_seconds();
        engine.room().process(&from, 1, &to, 1, frames);
        return (thread_seconds() - begin) * 1e6;
    };
    for (int block = 0; block < 48'000 / frames; ++block) {
        play();
        engine.tick();
    }
    for (int swap = 1; swap <= swaps; ++swap) {
        for (int block = 0; block < 20; ++block) {
            costs.alone[(swap + 1) % 2].push_back(play());
            engine.tick();
        }
        engine.play(graphs[swap % 2]);
        engine.tick();  // builds and warms; the newcomer may begin after a few more blocks of the stream
        while (engine.changing()) {
            const bool was_fading = in_fade;
            const double us = play();
            engine.tick();
            (was_fading && in_fade ? costs.fading : costs.catching).push_back(us);
        }
    }
    return costs;
}

/// Keeps the cheaper of two takes, block by block.
void keep_cheaper(std::vector<double>& best, const std::vector<double>& take) {
    best.resize(std::min(best.size(), take.size()));
    for (std::size_t k = 0; k < best.size(); ++k) best[k] = std::min(best[k], take[k]);
}

}  // namespace

/// A shared machine interrupts one block in a thousand for many times the cost of the block, in a fade or
/// not. Interruptions never hit the same block twice, while the cost of the block itself repeats. So the same
/// stream is played several times, and the cheapest take of each block counts.
void swapping(BenchReport& report, const std::string& source) {
    const std::vector<std::string> models{source + "/tests/data/grey_box-rnn-gru-hard.safetensors",
                                          source + "/tests/data/grey_box-gru-rnn-two-knobs.safetensors"};
    const std::vector<Graph> graphs{graph_of(model_patch(models[0])), graph_of(model_patch(models[1]))};
    constexpr int takes = 5;
    for (const int frames : {64, 256}) {
        const int swaps = report.quick ? 60 : 1'000;
        SwapCosts best = swap_often(graphs, frames, swaps);
        const double doubled = median(best.alone[0]) + median(best.alone[1]);
        const double one_take = quantile(best.fading, 0.999) / doubled;
        const double one_steady = quantile(best.alone[0], 0.999) / median(best.alone[0]);
        for (int take = 1; take < takes; ++take) {
            const SwapCosts again = swap_often(graphs, frames, swaps);
            keep_cheaper(best.fading, again.fading);
            keep_cheaper(best.catching, again.catching);
        }
        report.row(
            fmt::format("fade: blocks of {} in {} swaps, 99.9th percentile", frames, swaps), "<= 1.2 x 2",
            quantile(best.fading, 0.999) / doubled, 1.2, "x",
            fmt::format(
                "doubled steady {:.1f} us; median {:.2f} x; catching up {:.2f} x; of one take {:.1f} x, "
                "where steady blocks reach {:.1f} times their median",
                doubled, median(best.fading) / doubled, quantile(best.catching, 0.999) / doubled, one_take,
                one_steady));
    }
}

}  // namespace gainstage
