#include "runtime/model/config.hpp"

#include "runtime/model/json.hpp"
#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

ModelConfig::Value value_of(const JsonValue& json) {
    ModelConfig::Value value{.value = {}, .json = json.sorted_text()};
    if (const auto* on = json.as<bool>()) value.value = *on;
    if (const auto number = json.number()) value.value = *number;
    if (const auto* text = json.as<std::string>()) value.value = *text;
    return value;
}

}  // namespace

ModelConfig::ModelConfig(std::string json, const std::string& where) : json_(std::move(json)) {
    const JsonValue parsed = parse_json(json_, where);
    const auto* members = parsed.as<JsonValue::Object>();
    if (!members) throw ModelError(where + ": expected a JSON object");
    canonical_json_ = parsed.sorted_text();
    for (const auto& [key, value] : *members)
        if (!value.is_null()) values_.emplace(key, value_of(value));
}

const ModelConfig::Value* ModelConfig::find(std::string_view key) const {
    const auto at = values_.find(key);
    return at == values_.end() ? nullptr : &at->second;
}

}  // namespace gainstage
