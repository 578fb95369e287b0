#include "runtime/model/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "runtime/model/json.hpp"
#include "runtime/node.hpp"
#include "runtime/numbers.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

namespace {

constexpr std::size_t max_controls = 64;
constexpr int max_steps = 1024;
constexpr double min_rate_hz = 1'000., max_rate_hz = 768'000.;
/// Keys that every node has in a patch, and targets that every node has for MIDI. No knob may have one of
/// these names.
constexpr std::array reserved_names{"type", "model", "rate", "smooth_ms", "bypass", "mute"};

bool is_name(std::string_view text) {
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto rest = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    return !text.empty() && text.size() <= 64 && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), rest);
}

/// The keys of `__metadata__`, taken one by one. The rest stays as written.
class Keys {
public:
    Keys(Model& model, std::vector<std::pair<std::string, std::string>>&& all) : model_(model) {
        model_.metadata = std::move(all);
    }

    template <class... Args>
    [[noreturn]] void refuse(std::string_view key, fmt::format_string<Args...> text, Args&&... args) const {
        throw ModelError(
            fmt::format("{}: {}: {}", model_.file, key, fmt::format(text, std::forward<Args>(args)...)));
    }

    /// True if the key is there; its text moves into `text`.
    bool take(std::string_view key, std::string& text) {
        const auto at = std::find_if(model_.metadata.begin(), model_.metadata.end(),
                                     [&](const auto& entry) { return entry.first == key; });
        if (at == model_.metadata.end()) return false;
        text = std::move(at->second);
        model_.metadata.erase(at);
        return true;
    }

    std::string required(std::string_view key, std::string_view expected) {
        std::string text;
        if (!take(key, text))
            refuse(key,
                   "missing; expected {}. Published checkpoints are converted by "
                   "tools/import_model",
                   expected);
        return text;
    }

    /// A whole number >= 0; 0 if the key is absent.
    std::int64_t count(std::string_view key, std::int64_t most) {
        std::string text;
        if (!take(key, text)) return 0;
        const auto value = whole_between(text_as_whole(text), std::int64_t{0}, most);
        if (!value)
            refuse(key, "found {}; expected a whole number of samples, 0 to {}", in_quotes(text), most);
        return *value;
    }

private:
    Model& model_;
};

class Controls {
public:
    Controls(const Keys& keys, std::vector<std::string>& notes) : keys_(keys), notes_(notes) {}

    std::vector<ModelControl> read(const JsonValue& list) {
        const auto* entries = list.as<JsonValue::List>();
        if (!entries) keys_.refuse("controls", "expected an array, found {}", list.kind());
        if (entries->size() > max_controls)
            keys_.refuse("controls", "{} entries; at most {} are read", entries->size(), max_controls);
        std::vector<ModelControl> controls;
        std::set<std::string> names;
        for (const JsonValue& entry : *entries) {
            where_ = fmt::format("controls[{}]", controls.size());
            controls.push_back(read_one(entry));
            if (!names.insert(controls.back().name).second)
                keys_.refuse(where_, "the name {} is there twice", in_quotes(controls.back().name));
        }
        return controls;
    }

private:
    ModelControl read_one(const JsonValue& entry) {
        if (!entry.as<JsonValue::Object>())
            keys_.refuse(where_, "expected an object, found {}", entry.kind());
        ModelControl control{.name = text(entry, "name"), .unit = text(entry, "unit")};
        if (!is_name(control.name))
            keys_.refuse(where_, "name {}: expected a-z, 0-9 and _, a letter first, at most 64",
                         in_quotes(control.name));
        if (std::count(reserved_names.begin(), reserved_names.end(), control.name))
            keys_.refuse(where_, "name {}: every node has a setting of this name; choose another",
                         in_quotes(control.name));
        control.min = number(entry, "min");
        control.max = number(entry, "max");
        control.start = number(entry, "default");
        if (!(control.min < control.max) || control.start < control.min || control.start > control.max)
            keys_.refuse(where_, "min {}, max {}, default {}: expected min < max and a default between them",
                         control.min, control.max, control.start);
        read_to_model(control, entry);
        read_steps(control, entry);
        note_others(entry, {"name", "unit", "min", "max", "default", "to_model", "steps"});
        return control;
    }

    void read_to_model(ModelControl& control, const JsonValue& entry) {
        const JsonValue* at = entry.find("to_model");
        if (!at || !at->as<JsonValue::Object>())
            keys_.refuse(where_, "to_model: expected an object with scale and offset");
        control.scale = number(*at, "scale");
        control.offset = number(*at, "offset");
        note_others(*at, {"scale", "offset"});
        for (const float knob : {control.min, control.max})
            if (!std::isfinite(knob * control.scale + control.offset))
                keys_.refuse(where_, "to_model: {} * {} + {} is no finite number", knob, control.scale,
                             control.offset);
    }

    void read_steps(ModelControl& control, const JsonValue& entry) {
        const JsonValue* at = entry.find("steps");
        if (!at) return;
        const auto steps = whole_between(at->whole(), 2, max_steps);
        if (!steps) keys_.refuse(where_, "steps: expected a whole number, 2 to {}", max_steps);
        control.steps = *steps;
    }

    std::string text(const JsonValue& entry, const char* key) const {
        const JsonValue* at = entry.find(key);
        if (!at || !at->as<std::string>()) keys_.refuse(where_, "{}: expected a string", key);
        return *at->as<std::string>();
    }

    float number(const JsonValue& entry, const char* key) const {
        const JsonValue* at = entry.find(key);
        if (!at || !at->is_number()) keys_.refuse(where_, "{}: expected a number", key);
        const auto value = as_float(*at->number());
        if (!value) keys_.refuse(where_, "{}: {} is out of range", key, *at->number());
        return *value;
    }

    void note_others(const JsonValue& entry, std::initializer_list<std::string_view> known) {
        for (const auto& [key, value] : *entry.as<JsonValue::Object>())
            if (std::find(known.begin(), known.end(), key) == known.end())
                notes_.push_back(fmt::format("{}: unknown key {} ignored", where_, in_quotes(key)));
    }

    const Keys& keys_;
    std::vector<std::string>& notes_;
    std::string where_;
};

double read_rate(Keys& keys) {
    const std::string text = keys.required("sample_rate", "the rate it was trained at, in Hz");
    const auto rate_hz = text_as_number(text);
    if (!rate_hz || *rate_hz < min_rate_hz || *rate_hz > max_rate_hz)
        keys.refuse("sample_rate", "found {}; expected a number of Hz, {} to {}", in_quotes(text),
                    min_rate_hz, max_rate_hz);
    return *rate_hz;
}

}  // namespace

void describe(Model& model, Safetensors&& contents) {
    model.tensors = std::move(contents.tensors);
    Keys keys(model, std::move(contents.metadata));
    const std::string format = keys.required("gainstage.format", "\"1\"");
    if (format != "1")
        keys.refuse("gainstage.format", "found {}; this version reads \"1\"", in_quotes(format));
    model.architecture = keys.required("architecture", "\"grey_box\" or another model type");
    if (!is_name(model.architecture))
        keys.refuse("architecture", "found {}; expected a model type such as \"grey_box\"",
                    in_quotes(model.architecture));
    model.config = ModelConfig(keys.required("config", "a JSON object"), model.file + ": config");
    model.sample_rate_hz = read_rate(keys);
    model.controls = Controls(keys, model.notes)
                         .read(parse_json(keys.required("controls", "a JSON array (empty if there are none)"),
                                          model.file + ": controls"));
    const auto longest_memory = static_cast<std::int64_t>(longest_memory_s * model.sample_rate_hz);
    model.latency_samples = keys.count("latency_samples", longest_memory);
    model.receptive_field = keys.count("receptive_field", std::numeric_limits<std::int32_t>::max());
    model.memory_samples = keys.count("memory_samples", longest_memory);
    for (const auto& [key, text] : model.metadata)
        if (key == "training") parse_json(text, model.file + ": training");
}

}  // namespace gainstage
