/// Measures what the engine promises, beside what was asked of it: one row each. Speeds are ratios within one
/// run.
///
///   engine_bench [--quick]

#include <fmt/format.h>

#include "tools/bench/engine/sections.hpp"

int main(int argc, char** argv) {
    using namespace gainstage;
    BenchReport report(argc > 1 && std::string(argv[1]) == "--quick");
    fmt::print("{:<58} {:>12}  {:>13}\n", "what", "asked", "measured");
    graph_cost(report);
    building(report);
    editing(report);
    swapping(report, GAINSTAGE_SOURCE_DIR);
    reloading(report, GAINSTAGE_SOURCE_DIR);
    reloading_every_family(report);
    threads(report, GAINSTAGE_SOURCE_DIR);
    checking(report, GAINSTAGE_SOURCE_DIR);
    fmt::print("{}\n", report.all_met()
                           ? "all met"
                           : "not all met in this run; repeat on a quiet machine before you believe it");
    return 0;
}
