/// gainstage bench PATCH or MODEL

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "nodes/all_nodes.hpp"
#include "runtime/control/realtime_rights.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "runtime/engine/probe_model.hpp"
#include "runtime/number_text.hpp"
#include "runtime/thread.hpp"
#include "tools/bench/patch_bench.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/shipped.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

/// At which a second thread is judged: what stages use.
constexpr int threads_frames = 64;

Resolved load(const std::string& file, double& rate_hz) {
    if (std::filesystem::path(file).extension() != ".safetensors")
        return PatchLoader(all_nodes(), rate_hz).load(file);
    const auto model = read_model_file(file);
    rate_hz = model->sample_rate_hz;
    return {.graph = graph_around(model, all_nodes()), .problems = {}};
}

nlohmann::ordered_json json_of(const PatchCost& cost) {
    return {{"frames", cost.frames},
            {"period_us", cost.period_us},
            {"median_us", cost.resting.median_us},
            {"p99_us", cost.resting.p99_us},
            {"max_us", cost.resting.max_us},
            {"moving_median_us", cost.moving.median_us},
            {"moving_p99_us", cost.moving.p99_us},
            {"moving_max_us", cost.moving.max_us},
            {"times_real_time", cost.times_real_time},
            {"silence_us", cost.silence_us},
            {"worst_phase_us", cost.worst_phase_us},
            {"worst_share", cost.worst_share},
            {"slowest_node", cost.slowest_node},
            {"slowest_share", cost.slowest_share}};
}

/// The verdict for stages' usual block: "a block of 128 frames takes 7 % of its time: safe".
void print_verdict(const std::string& file, double rate_hz, const std::vector<PatchCost>& costs) {
    constexpr int usual_frames = 128;
    for (const PatchCost& c : costs)
        if (c.frames == usual_frames)
            put("{} at {} Hz: a block of {} frames takes {} % of its time, {} % at worst: {}\n\n", file,
                rate_hz, c.frames, number_text(100. * c.resting.median_us / c.period_us, 2),
                number_text(c.worst_share * 100., 2),
                c.worst_share < safe_share ? "safe"
                : c.worst_share < 1.       ? "it plays, and leaves too little to the rest of the machine"
                                           : "too heavy");
}

void print_table(const std::string& file, double rate_hz, const std::vector<PatchCost>& costs, int safe) {
    print_verdict(file, rate_hz, costs);
    Table table({"FRAMES", "A BLOCK LASTS", "IT TAKES", "P99", "MOST", "WHILE ALL KNOBS MOVE: P99", "MOST",
                 "IN A PAUSE", "FASTER THAN SOUND", "AT WORST", "BUSIEST NODE"});
    for (const PatchCost& c : costs)
        table.add({fmt::format("{}", c.frames), fmt::format("{:.0f} us", c.period_us),
                   fmt::format("{:.1f} us", c.resting.median_us), fmt::format("{:.1f} us", c.resting.p99_us),
                   fmt::format("{:.1f} us", c.resting.max_us), fmt::format("{:.1f} us", c.moving.p99_us),
                   fmt::format("{:.1f} us", c.moving.max_us), fmt::format("{:.1f} us", c.silence_us),
                   fmt::format("{} times", number_text(c.times_real_time, 2)),
                   fmt::format("{:.1f} %", c.worst_share * 100.),
                   fmt::format("{} {:.1f} %", c.slowest_node, c.slowest_share * 100.)});
    put_text(table.text() + "\n");
    put("P99 and MOST include what other programs took meanwhile. AT WORST does not: the median of the "
        "dearest blocks while "
        "knobs move.\n");
    if (safe)
        put("smallest safe block here: {} frames (at worst, while knobs move, it takes less than half of its "
            "time)\n",
            safe);
    else
        put("no block of up to 512 frames is safe here (at worst, while knobs move, it takes more than half "
            "of "
            "its time)\n");
}

void print_threads(const ThreadGain& gain) {
    if (!gain.has_branches)
        put("run --threads 2 gains nothing: no two branches beside each other are heavy enough\n");
    else
        put("run --threads 2: {:.2f} times as fast at {} frames ({:.1f} us a block by the clock, {:.1f} us "
            "with one thread)\n",
            gain.times(), threads_frames, gain.two_us, gain.one_us);
}

nlohmann::ordered_json json_of(const ThreadGain& gain) {
    return {{"frames", threads_frames}, {"has_branches", gain.has_branches},
            {"one_us", gain.one_us},    {"two_us", gain.two_us},
            {"times", gain.times()},    {"shared", gain.shared}};
}

int bench(const BenchOptions& options) {
    const auto [file, fault] = meant_file(options.file, {Shipped::patch, Shipped::model});
    if (!fault.empty()) return fail(not_found, options.file + ": " + fault);
    double rate_hz = options.rate_hz;
    const Resolved resolved = load(file, rate_hz);
    if (const int code = print_problems(resolved.problems); code != ok || !resolved.graph)
        return code ? code : bad_data;
    std::vector<PatchCost> costs;
    int safe = 0;
    for (const int frames : {16, 32, 64, 128, 256, 512}) {
        costs.push_back(measure_patch(*resolved.graph, rate_hz, frames, options.seconds));
        if (!safe && costs.back().worst_share < safe_share) safe = frames;
    }
    const bool several = usable_cores() > 1;
    const ThreadGain gain =
        several ? measure_threads(*resolved.graph, rate_hz, threads_frames, 2.) : ThreadGain{};
    if (!options.json) {
        print_table(file, rate_hz, costs, safe);
        if (several) print_threads(gain);
        return ok;
    }
    nlohmann::ordered_json json{{"file", file},
                                {"rate_hz", rate_hz},
                                {"smallest_safe_frames", safe},
                                {"blocks", nlohmann::json::array()}};
    if (several) json["two_threads"] = json_of(gain);
    for (const PatchCost& cost : costs) json["blocks"].push_back(json_of(cost));
    put_json(json);
    return ok;
}

}  // namespace

int run_bench(const BenchOptions& options) {
    try {
        return bench(options);
    } catch (const ModelError& error) {
        return fail(error.exit_code, error.what());
    } catch (const NoThread& error) {
        return fail(environment, error.what());
    } catch (const std::runtime_error& error) {
        return fail(bad_data, error.what());
    }
}

}  // namespace gainstage
