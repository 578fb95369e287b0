/// gainstage info MODEL

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "nodes/all_nodes.hpp"
#include "runtime/engine/probe_model.hpp"
#include "runtime/model/json.hpp"
#include "runtime/model/model.hpp"
#include "runtime/number_text.hpp"
#include "runtime/problem_list.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/shipped.hpp"
#include "tools/gainstage/table.hpp"

namespace gainstage {

namespace {

/// A file, and what its node type makes of it.
struct Subject {
    std::shared_ptr<const Model> model;
    std::shared_ptr<const Prepared> prepared;  ///< null: no node type plays it

    /// Floating-point operations per sample at rest; 0: nobody knows.
    double operations() const { return prepared ? prepared->facts().operations : 0.; }
    std::vector<std::string> notes() const {
        std::vector<std::string> notes = model->notes;
        if (prepared)
            notes.insert(notes.end(), prepared->facts().notes.begin(), prepared->facts().notes.end());
        else
            notes.push_back(fmt::format("no node type plays architecture \"{}\"", model->architecture));
        return notes;
    }
};

/// Throws ModelError.
Subject read(const std::string& file, PreparedModels& prepared) {
    Subject subject{.model = read_model_file(file), .prepared = nullptr};
    if (const NodeType* type = type_that_plays(all_nodes(), subject.model->architecture))
        subject.prepared = prepared.get(*type, *subject.model, subject.model->sample_rate_hz);
    return subject;
}

std::int64_t weights_of(const Model& model) {
    std::int64_t count = 0;
    for (const Tensor& tensor : model.tensors) count += static_cast<std::int64_t>(tensor.data.size());
    return count;
}

/// Metadata and config are JSON where they parse as such, else text.
JsonValue value_of(const std::string& text) {
    try {
        JsonValue json = read_json(text);
        return json.is_number() ? JsonValue(text) : json;
    } catch (const JsonFault&) {
        return text;
    }
}

// ------------------------ for scripts

JsonValue json_of(const Subject& subject) {
    const Model& model = *subject.model;
    JsonValue::List controls, tensors;
    JsonValue::Object metadata;
    for (const ModelControl& control : model.controls)
        controls.push_back(
            JsonValue{{"name", control.name},
                      {"unit", control.unit},
                      {"min", control.min},
                      {"max", control.max},
                      {"default", control.start},
                      {"to_model", JsonValue{{"scale", control.scale}, {"offset", control.offset}}},
                      {"steps", control.steps}});
    for (const Tensor& tensor : model.tensors)
        tensors.push_back(JsonValue{{"name", tensor.name}, {"shape", tensor.shape}});
    for (const auto& [key, value] : model.metadata) metadata.push_back({key, value_of(value)});
    return {{"file", model.file},
            {"architecture", model.architecture},
            {"sample_rate", model.sample_rate_hz},
            {"config", value_of(model.config.json())},
            {"controls", std::move(controls)},
            {"latency_samples", model.latency_samples},
            {"receptive_field", model.receptive_field},
            {"memory_samples", model.memory_samples},
            {"tensors", std::move(tensors)},
            {"weights", weights_of(model)},
            {"operations_per_sample", subject.operations()},
            {"metadata", std::move(metadata)},
            {"content_hash", fmt::format("{:016x}", model.content_hash)},
            {"notes", subject.notes()}};
}

/// Infinite gain is no number of JSON's: `null`.
JsonValue json_of(const ModelProbe& probe) {
    JsonValue::List levels;
    for (const ModelProbe::Level& level : probe.levels)
        levels.push_back(JsonValue{{"in_dbfs", level.in_dbfs},
                                   {"gain_db", level.blows_up ? JsonValue() : JsonValue(level.gain_db)},
                                   {"blows_up", level.blows_up}});
    return {{"levels", std::move(levels)},    {"dc_dbfs", probe.dc_dbfs},       {"hum_dbfs", probe.hum_dbfs},
            {"thump_dbfs", probe.thump_dbfs}, {"after_dbfs", probe.after_dbfs}, {"unsafe", probe.unsafe},
            {"warnings", probe.warnings}};
}

// ------------------------ for people

Table facts_table(const Subject& subject) {
    const Model& model = *subject.model;
    const auto samples = [&](std::int64_t count) {
        const double seconds = static_cast<double>(count) / model.sample_rate_hz;
        return seconds < 1. ? fmt::format("{} samples ({} ms)", count, number_text(1000. * seconds, 4))
                            : fmt::format("{} samples ({} s)", count, number_text(seconds, 3));
    };
    Table table({"", ""});
    table.add({"architecture", model.architecture});
    table.add({"sample rate", number_text(model.sample_rate_hz) + " Hz"});
    table.add({"latency", samples(model.latency_samples)});
    if (model.receptive_field > 0) table.add({"receptive field", samples(model.receptive_field)});
    table.add({"memory", samples(model.memory_samples)});
    table.add({"weights", fmt::format("{} in {} tensors", weights_of(model), model.tensors.size())});
    if (const double operations = subject.operations(); operations > 0.)
        table.add({"operations", fmt::format("{:.0f} per sample", operations)});
    table.add({"config", model.config.json()});
    for (const auto& [key, value] : model.metadata) table.add({key, value});
    return table;
}

Table controls_table(const Model& model) {
    Table table({"CONTROL", "RANGE", "START", "STEPS"});
    for (const ModelControl& control : model.controls)
        table.add(
            {control.name,
             fmt::format("{} .. {} {}", number_text(control.min), number_text(control.max), control.unit),
             number_text(control.start), control.steps ? std::to_string(control.steps) : ""});
    return table;
}

Table tensors_table(const Model& model) {
    Table table({"TENSOR", "SHAPE"});
    for (const Tensor& tensor : model.tensors)
        table.add({tensor.name, fmt::format("{}", fmt::join(tensor.shape, " x "))});
    return table;
}

Table probe_table(const ModelProbe& probe) {
    Table table({"TONE OF 220 HZ", "GAIN"});
    for (const ModelProbe::Level& level : probe.levels)
        table.add({fmt::format("{:g} dBFS", level.in_dbfs),
                   level.blows_up ? "blows up" : fmt::format("{:+.1f} dB", level.gain_db)});
    const auto rest = [](double dbfs) { return dbfs > -199. ? fmt::format("{:.0f} dBFS", dbfs) : "none"; };
    table.add({"offset at silence", rest(probe.dc_dbfs)});
    table.add({"noise at silence", rest(probe.hum_dbfs)});
    table.add({"thump at the start", rest(probe.thump_dbfs)});
    table.add({"noise after a tone", rest(probe.after_dbfs)});
    return table;
}

void print_text(const ModelProbe& probe, const std::string& file) {
    put_text("\nWhat it does, its knobs at their defaults:\n" + probe_table(probe).text("  "));
    for (const std::string& warning : probe.warnings) say("{}: {} (warning)", file, warning);
}

void print_text(const Subject& subject) {
    const Model& model = *subject.model;
    put("{}\n", model.file);
    put_text(facts_table(subject).text("  "));
    for (const Table& table : {controls_table(model), tensors_table(model)})
        if (!table.empty()) put_text("\n" + table.text("  "));
    const std::vector<std::string> notes = subject.notes();
    for (std::size_t k = 0; k < std::min(notes.size(), most_told); ++k)
        say("{}: {} (note)", model.file, notes[k]);
    if (notes.size() > most_told)
        say("{}: and {} more; info --json lists them (note)", model.file, notes.size() - most_told);
}

}  // namespace

int run_info(const InfoOptions& options) {
    try {
        const auto [file, fault] = meant_file(options.model, {Shipped::model});
        if (!fault.empty()) return fail(not_found, options.model + ": " + fault);
        PreparedModels prepared;
        const Subject subject = read(file, prepared);
        JsonValue json;
        if (options.json)
            json = json_of(subject);
        else
            print_text(subject);
        if (!options.without_probe && subject.prepared) {
            const ModelProbe probe = probe_model(subject.model, all_nodes(), &prepared);
            if (!options.json) print_text(probe, subject.model->file);
            if (options.json) json["probe"] = json_of(probe);
        }
        if (options.json) put_document(json);
        return ok;
    } catch (const ModelError& error) {
        return fail(error.exit_code, error.what());
    }
}

}  // namespace gainstage
