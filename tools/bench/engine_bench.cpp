/// Measures the promises of the engine, each with its requirement, one row each. Speeds are ratios within one
/// run.
///
///   engine_bench [--quick] [SECTION...]

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/engine/sections.hpp"

int main(int argc, char** argv) {
    using namespace gainstage;
    const std::string source = GAINSTAGE_SOURCE_DIR;
    const std::vector<std::pair<std::string, std::function<void(BenchReport&)>>> sections = {
        {"graph", graph_cost},
        {"build", building},
        {"edit", editing},
        {"fade", [&](BenchReport& report) { swapping(report, source); }},
        {"reload", [&](BenchReport& report) { reloading(report, source); }},
        {"reload-models", reloading_every_family},
        {"state", state_cost},
        {"threads", [&](BenchReport& report) { threads(report, source); }},
        {"check", [&](BenchReport& report) { checking(report, source); }}};

    std::vector<std::string> names, wanted;
    for (const auto& [name, run] : sections) names.push_back(name);
    bool quick = false;
    CLI::App app("Measures what the engine promises, beside what was asked of it");
    app.add_flag("--quick", quick, "Shorter, and less to be trusted");
    app.add_option("section", wanted, "Only these")->check(CLI::IsMember(names));
    CLI11_PARSE(app, argc, argv);

    BenchReport report(quick);
    fmt::print("{:<58} {:>12}  {:>13}\n", "what", "asked", "measured");
    for (const auto& [name, run] : sections)
        if (wanted.empty() || std::ranges::count(wanted, name)) run(report);
    fmt::print("{}\n", report.all_met()
                           ? "all met"
                           : "not all met in this run; repeat on a quiet machine before you believe it");
    return 0;
}
