/// gainstage check PATCH...

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <new>
#include <utility>

#include "nodes/all_nodes.hpp"
#include "runtime/engine/patch_loader.hpp"
#include "runtime/engine/probe_model.hpp"
#include "runtime/io/heard_latency.hpp"
#include "runtime/model/json_value.hpp"
#include "runtime/number_text.hpp"
#include "runtime/plain_text.hpp"
#include "runtime/plan/change.hpp"
#include "runtime/plan/timing.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/shipped.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

struct Checked {
    std::string file, name;
    std::size_t nodes = 0;
    std::vector<std::string> scenes;  ///< in the patch's order
    int latency_samples = 0;
    double rate_hz = 48'000.;
    int block_frames = 0;
    std::vector<NodeTiming> timings;
    MemoryUse memory;
    std::vector<std::pair<std::string, std::string>> at_silence;  ///< a node, and what its model does there
    Problems problems;
};

/// Nothing for a file that doesn't play at its own rate: the patch's problems say so.
std::vector<std::string> warnings_if_it_plays(const std::shared_ptr<const Model>& model,
                                              const std::string& settings, PreparedModels& prepared) {
    try {
        return warnings_at_silence(model, all_nodes(), std::chrono::seconds(1), settings, &prepared);
    } catch (const ModelError&) {
        return {};
    } catch (const std::bad_alloc&) {  // the check itself is done
        return {"was not listened to: there is not enough memory to play it here"};
    }
}

/// How the node's model begins, as the patch says it.
std::string start_of(const GraphNode& node) {
    if (!node.options.has("start")) return "";
    return fmt::format("start = \"{}\"\n", node.options.get<std::string>("start"));
}

/// What `info` warns of while nobody plays; each file is heard once for each way to begin.
std::vector<std::pair<std::string, std::string>> warnings_of(const Graph& graph, PreparedModels& prepared) {
    std::map<std::pair<const Model*, std::string>, std::vector<std::string>> heard;
    std::vector<std::pair<std::string, std::string>> all;
    for (const GraphNode& node : graph.nodes) {
        if (!node.model) continue;
        const std::string start = start_of(node);
        const auto [known, is_new] = heard.try_emplace({node.model.get(), start});
        if (is_new) known->second = warnings_if_it_plays(node.model, start, prepared);
        for (const std::string& warning : known->second) all.emplace_back(node.id, warning);
    }
    return all;
}

/// Where none is given: the rate that a model insists on, else 48 kHz.
double rate_for(const Resolved& resolved) {
    if (resolved.graph)
        for (const GraphNode& node : resolved.graph->nodes)
            if (node.refuse_other_rates && node.model) return node.model->sample_rate_hz;
    return 48'000.;
}

Checked not_there(const std::string& name, const std::string& fault) {
    const Problem problem{
        .file = name, .place = {}, .key = {}, .message = fault, .exit_code = sysexits::not_found};
    Checked checked;
    checked.file = name;
    checked.problems = {problem};
    return checked;
}

/// Reads the patch and its models and builds its nodes, as `run` would.
Checked check(const std::string& name, double rate_hz, std::size_t most_bytes) {
    const auto [file, fault] = meant_file(name, {Shipped::patch});
    if (!fault.empty()) return not_there(name, fault);
    if (rate_hz <= 0.) rate_hz = rate_for(PatchLoader(all_nodes(), 0.).load(file));
    Checked checked{.file = file,
                    .name = {},
                    .scenes = {},
                    .rate_hz = rate_hz,
                    .block_frames = 0,
                    .timings = {},
                    .memory = {},
                    .at_silence = {},
                    .problems = {}};
    const auto prepared = std::make_shared<PreparedModels>();
    Resolved resolved = PatchLoader(all_nodes(), rate_hz, prepared).load(file);
    checked.problems = std::move(resolved.problems);
    if (!resolved.graph) return checked;
    checked.name = resolved.graph->name;
    checked.nodes = resolved.graph->nodes.size();
    for (const GraphScene& scene : resolved.graph->scenes) checked.scenes.push_back(scene.name);
    KeyTable keys;
    const ArrangeConfig config{.sample_rate_hz = checked.rate_hz,
                               .with_histories = false,
                               .most_bytes = most_bytes ? most_bytes : half_of_memory(),
                               .rebuild = {}};
    Arrangement arrangement = arrange(std::move(*resolved.graph), nullptr, keys, config);
    Problems problems = std::move(arrangement.problems);
    if (!has_errors(problems))
        problems = plan_change(nullptr, arrangement, keys, {.arrange = config}).problems;
    if (has_errors(problems)) {
        checked.problems.insert(checked.problems.end(), problems.begin(), problems.end());
        return checked;
    }
    checked.latency_samples = arrangement.latency_samples;
    checked.memory = arrangement.memory;
    checked.timings = timing_of(arrangement, checked.rate_hz);  // says what the arrangement's notes say
    const Graph graph = std::move(arrangement.graph);
    arrangement = Arrangement();  // what is listened to takes memory as well
    checked.at_silence = warnings_of(graph, *prepared);
    return checked;
}

JsonValue json_of(const Problem& problem) {
    return {{"file", problem.file},           {"line", problem.place.line},
            {"column", problem.place.column}, {"key", problem.key},
            {"message", problem.message},     {"note", problem.is_note},
            {"exit_code", problem.exit_code}};
}

/// On a device with such blocks. How late its driver is, only the device knows.
HeardLatency heard_latency(const Checked& checked) {
    return {.rate_hz = checked.rate_hz,
            .patch_samples = checked.latency_samples,
            .period_samples = checked.block_frames};
}

std::string_view word_of(RateWay way) {
    return way == RateWay::own ? "own" : way == RateWay::exact ? "exact" : "resampled";
}

JsonValue json_of(const NodeTiming& timing) {
    JsonValue json{{"node", timing.node},
                   {"latency_samples", timing.latency_samples},
                   {"resampler_samples", timing.resampler_samples},
                   {"on_slowest_way", timing.counts},
                   {"rate", word_of(timing.way)}};
    if (timing.model_rate_hz > 0.) json["model_rate_hz"] = timing.model_rate_hz;
    return json;
}

JsonValue json_of(const Checked& checked) {
    JsonValue::List memory, timings, at_silence, problems;
    for (const auto& [node, warning] : checked.at_silence)
        at_silence.push_back(JsonValue{{"node", node}, {"warning", warning}});
    for (const MemoryUse::Share& share : checked.memory.largest(100))
        memory.push_back(JsonValue{{"what", share.what}, {"count", share.count}, {"bytes", share.bytes}});
    for (const NodeTiming& timing : checked.timings) timings.push_back(json_of(timing));
    for (const Problem& problem : checked.problems) problems.push_back(json_of(problem));
    JsonValue json{{"file", checked.file},
                   {"ok", !has_errors(checked.problems)},
                   {"name", checked.name},
                   {"nodes", checked.nodes},
                   {"scenes", checked.scenes},
                   {"latency_samples", checked.latency_samples},
                   {"rate_hz", checked.rate_hz},
                   {"memory_bytes", checked.memory.total()},
                   {"memory", std::move(memory)},
                   {"timing", std::move(timings)},
                   {"at_silence", std::move(at_silence)},
                   {"problems", std::move(problems)}};
    if (checked.block_frames > 0) {
        const HeardLatency heard = heard_latency(checked);
        json["latency_ms"] = {{"patch", heard.ms(heard.patch_samples)},
                              {"period", heard.ms(heard.period_samples)},
                              {"total", heard.total_ms()}};
    }
    return json;
}

std::string latency_text(const NodeTiming& timing) {
    std::string text = fmt::format("{} samples", timing.latency_samples);
    const int own = timing.latency_samples - timing.resampler_samples;
    if (timing.way == RateWay::resampled)
        text +=
            own ? fmt::format(" (resampler {}, model {})", timing.resampler_samples, own) : " (resampler)";
    if (timing.latency_samples > 0 && !timing.counts) text += ", adds nothing to the whole";
    return timing.latency_samples > 0 ? text : "";
}

std::string rate_text(const NodeTiming& timing, double rate_hz) {
    if (timing.way == RateWay::resampled)
        return fmt::format("plays at {:g} Hz, behind a resampler", timing.model_rate_hz);
    if (timing.way == RateWay::exact)
        return fmt::format(
            "made for {:g} Hz, plays at {:g} Hz by itself: its time constants are worked out anew",
            timing.model_rate_hz, rate_hz);
    return "";
}

/// Which nodes are late, and which play a model of another rate: the first ten.
void print_timings(const Checked& checked) {
    constexpr std::size_t most = 10;
    const std::size_t count = checked.timings.size();
    Table table({"", "", ""});
    for (std::size_t k = 0; k < count && k < most; ++k) {
        const NodeTiming& timing = checked.timings[k];
        table.add({timing.node, latency_text(timing), rate_text(timing, checked.rate_hz)});
    }
    if (count > most) table.add({fmt::format("and {} more; check --json lists them", count - most), "", ""});
    if (!table.empty()) put_text(table.text("  "));
}

/// The first ten.
void print_scenes(const Checked& checked) {
    constexpr std::size_t most = 10;
    const std::size_t count = checked.scenes.size();
    if (count == 0) return;
    std::string names;
    for (std::size_t s = 0; s < count && s < most; ++s)
        names += (s > 0 ? ", " : "") + plain_line(checked.scenes[s]);
    if (count > most) names += fmt::format(" and {} more; check --json lists them", count - most);
    put("  {} scene{}: {}\n", count, count == 1 ? "" : "s", names);
}

void print_ok(const Checked& checked) {
    const double latency_ms = 1000. * checked.latency_samples / checked.rate_hz;
    put("{}: ok ({} node{}, {}); memory {}\n", checked.file, checked.nodes, checked.nodes == 1 ? "" : "s",
        checked.latency_samples ? fmt::format("latency {} samples: {} ms at {} Hz", checked.latency_samples,
                                              number_text(latency_ms, 2), checked.rate_hz)
                                : "no latency",
        memory_text(checked.memory.total()));
    if (checked.block_frames > 0)
        put("  heard in blocks of {} frames after {}\n", checked.block_frames,
            text_of(heard_latency(checked)));
    print_scenes(checked);
    print_timings(checked);
    for (const auto& [node, warning] : checked.at_silence) put("  {}: its model {}\n", node, warning);
}

/// Which values of this check the machine file has given; "": none.
std::string what_the_machine_says(const CheckOptions& options) {
    std::string text;
    if (options.machine.rate_hz && !options.rate_is_given)
        text = fmt::format("{} Hz", *options.machine.rate_hz);
    if (options.machine.block_frames && !options.block_is_given)
        text +=
            fmt::format("{}blocks of {} frames", text.empty() ? "" : " and ", *options.machine.block_frames);
    return text;
}

}  // namespace

int run_check(const CheckOptions& options) {
    if (const int wrong = print_problems(options.machine.problems); wrong != ok) return wrong;
    const std::string from_machine = what_the_machine_says(options);
    int code = ok;
    JsonValue::List json;
    for (const std::string& file : options.patches) {
        Checked checked = check(file, options.rate_hz, options.most_bytes);
        checked.block_frames = options.block_frames;
        int patch_code = ok;
        if (options.json) {
            json.push_back(json_of(checked));
            if (!from_machine.empty()) json.back()["machine_file"] = options.machine.path;
            for (const Problem& problem : checked.problems)
                if (!problem.is_note) patch_code = std::max(patch_code, problem.exit_code);
        } else {
            patch_code = print_problems(checked.problems);
            if (patch_code == ok) print_ok(checked);
        }
        if (code == ok) code = patch_code;
    }
    if (options.json) put_document(JsonValue(std::move(json)));
    if (!options.json && !from_machine.empty())
        say("{} from {}, unless the command line says otherwise.", from_machine, options.machine.path);
    return code;
}

}  // namespace gainstage
