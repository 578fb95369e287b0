#include "runtime/model/config.hpp"

#include "runtime/model/json.hpp"
#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

ModelConfig::Value value_of(const nlohmann::json& json) {
    ModelConfig::Value value{.value = {}, .json = json.dump()};
    if (json.is_boolean()) value.value = json.get<bool>();
    if (json.is_number()) value.value = json.get<double>();
    if (json.is_string()) value.value = json.get<std::string>();
    return value;
}

}  // namespace

ModelConfig::ModelConfig(std::string json, const std::string& where) : json_(std::move(json)) {
    const nlohmann::json parsed = parse_json(json_, where);
    if (!parsed.is_object()) throw ModelError(where + ": expected a JSON object");
    canonical_json_ = parsed.dump();
    for (const auto& [key, value] : parsed.items())
        if (!value.is_null()) values_.emplace(key, value_of(value));
}

const ModelConfig::Value* ModelConfig::find(std::string_view key) const {
    const auto at = values_.find(key);
    return at == values_.end() ? nullptr : &at->second;
}

}  // namespace gainstage
