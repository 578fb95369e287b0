#include <fmt/format.h>

#include "tools/bench/engine/patches.hpp"
#include "tools/bench/engine/sections.hpp"
#include "tools/bench/patch_bench.hpp"

namespace gainstage {

void threads(BenchReport& report, const std::string& source) {
    const std::string model = source + "/tests/data/grey_box-rnn-gru-hard.safetensors";
    const Graph graph = graph_of(branches_patch(model, 2, 8));
    for (const int frames : {64, 16, 256}) {
        const ThreadGain gain = measure_threads(graph, 48'000., frames, report.quick ? 4. : 20.);
        report.row(
            fmt::format("threads: two heavy branches, {} frames, two over one", frames), "<= 1/1.7",
            1. / gain.times(), 1. / 1.7, "x",
            fmt::format("{:.2f} times as fast: {:.1f} us and {:.1f} us a block; the worker had a part in "
                        "{:.1f} % of them",
                        gain.times(), gain.one_us, gain.two_us, gain.shared * 100.));
    }
}

}  // namespace gainstage
