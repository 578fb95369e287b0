#pragma once
/// `config` of a weight file: a JSON object, parsed once.

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/not_trivial.hpp"

namespace gainstage {

class ModelConfig {
public:
    /// Without keys.
    ModelConfig() = default;
    /// Throws ModelError "`where`: ..." for anything but a JSON object.
    ModelConfig(std::string json, const std::string& where);

    struct Value {
        /// Empty for a list or an object.
        std::variant<NotTrivial, bool, double, std::string> value;
        std::string json;  ///< for messages
    };
    /// Null if the key is absent or its value is `null`.
    const Value* find(std::string_view key) const;

    /// As written in the file.
    const std::string& json() const noexcept { return json_; }
    /// Without white space, keys sorted. Equal for configs with the same content.
    const std::string& canonical_json() const noexcept { return canonical_json_; }

private:
    std::string json_ = "{}", canonical_json_ = "{}";
    std::map<std::string, Value, std::less<>> values_;
};

}  // namespace gainstage
