#pragma once
/// JSON that comes from a stranger: bounded depth, no key twice. Only runtime/model sees this header.

#include <nlohmann/json.hpp>
#include <string_view>

#include "runtime/problem_list.hpp"

namespace gainstage {

/// Objects and arrays inside one another, at most.
inline constexpr int max_json_depth = 16;

/// Throws ModelError "`where`: ..." for anything that is not one JSON value, nests deeper than
/// max_json_depth, or names a key of one object twice.
nlohmann::json parse_json(std::string_view text, const std::string& where);

}  // namespace gainstage
