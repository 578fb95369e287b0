#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"

namespace gainstage {

void building(BenchReport& report) {
    const std::string text = chain_patch(1'000);
    std::vector<double> ms;
    for (int k = 0; k < (report.quick ? 5 : 20); ++k) {
        const auto begin = Clock::now();
        Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 64, .midi_ports = 0}});
        engine.play(graph_of(text));
        engine.tick();
        ms.push_back(seconds_since(begin) * 1e3);
    }
    report.row("build: text of 1,000 nodes to a plan, median", "<= 15 ms", median(ms), 15., "ms");
}

void editing(BenchReport& report) {
    const std::string one = chain_patch(1'000), other = chain_patch(1'000, ",\n\"g400 -> g700\"");
    Engine engine(EngineConfig{.room = {.sample_rate_hz = 48'000., .max_frames = 64, .midi_ports = 0}});
    std::uint64_t started = 0;
    engine.listen([&](const EngineNews& news) { started += news.kind == EngineNews::Kind::started; });
    engine.play(graph_of(one));
    engine.tick();
    std::vector<float> in(64, 0.01f), out(64);
    const auto play = [&] {
        const float* from = in.data();
        float* to = out.data();
        const double begin = thread_seconds();
        engine.room().process(&from, 1, &to, 1, 64);
        return (thread_seconds() - begin) * 1e6;
    };
    std::vector<double> steady, ms, worst_excess;
    for (int k = 0; k < 2'000; ++k) steady.push_back(play());
    engine.tick();
    const double steady_us = median(steady);
    for (int k = 0; k < (report.quick ? 6 : 30); ++k) {
        const auto begin = Clock::now();
        engine.play(graph_of(k % 2 ? one : other));
        engine.tick();
        ms.push_back(seconds_since(begin) * 1e3);  // the next block begins the fade
        double worst = 0.;
        for (int block = 0; block < 60; ++block) {
            worst = std::max(worst, play());
            engine.tick();
        }
        worst_excess.push_back(worst - 2. * steady_us);
    }
    report.row("edit: one cable of 1,000 nodes, text to armed fade, median", "< 20 ms", median(ms), 20.,
               "ms");
    report.row(
        "edit: worst block over twice a steady one, median of edits", "<= 20 us", median(worst_excess), 20.,
        "us",
        fmt::format("steady {:.1f} us, worst edit {:.0f} us over", steady_us, quantile(worst_excess, 1.)));
}

}  // namespace gainstage
