/// Measures the promises of the engine, each with its requirement, one row each. Speeds are ratios within one
/// run.
///
///   engine_bench [--quick] [SECTION...]

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/engine/sections.hpp"
#include "tools/gainstage/usage.hpp"

namespace gainstage {

namespace {

int run_engine_bench(int argc, char** argv) {
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
    CLI::App app("Measures what the engine promises, beside what was asked of it", "engine_bench");
    app.add_flag("--quick", quick, "Shorter, and less to be trusted");
    app.add_option("section", wanted, "Only these")->check(CLI::IsMember(names));
    app.footer(footer_of({"engine_bench", "engine_bench --quick reload threads"},
                         {ok, usage, internal, cannot_write, environment}));
    if (const auto code = parse(app, argc, argv)) return *code;

    BenchReport report(quick);
    put("{:<58} {:>12}  {:>13}\n", "what", "asked", "measured");
    for (const auto& [name, run] : sections)
        if (wanted.empty() || std::ranges::count(wanted, name)) run(report);
    put_text(report.all_met() ? "all met\n"
                              : "not all met in this run; repeat on a quiet machine before you believe it\n");
    return ok;
}

}  // namespace

}  // namespace gainstage

int main(int argc, char** argv) {
    return gainstage::run_guarded(gainstage::run_engine_bench, argc, argv);
}
