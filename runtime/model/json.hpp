#pragma once
/// JSON from an untrusted file: bounded depth, no key twice. Only runtime/model includes this header.

#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/problem_list.hpp"

namespace gainstage {

/// Most levels of objects and arrays inside one another.
inline constexpr int max_json_depth = 16;

/// Throws ModelError "`where`: ..." if the text is not one JSON value, nests deeper than max_json_depth, or
/// has a key twice in one object.
nlohmann::json parse_json(std::string_view text, const std::string& where);

}  // namespace gainstage
