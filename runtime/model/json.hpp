#pragma once
/// The one reader of JSON that came from outside: headers and metadata of weight files, logs of takes. It is
/// linear in the text, and its depth, the number of its values and its memory are bounded.

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/model/json_value.hpp"

namespace gainstage {

/// What a text may ask for. A tree takes some 100 bytes a value at most, and the reader holds a text of the
/// document three times while it reads it.
struct JsonLimits {
    int depth = 16;                                   ///< levels of objects and lists inside one another
    std::size_t values = std::size_t{1} << 16;        ///< in one tree, objects and lists included
    std::size_t string_bytes = std::size_t{1} << 20;  ///< of one string or key, as it is written
};

/// The text is not one JSON value, exceeds a limit or has a key twice in one object. Says which, without a
/// place.
struct JsonFault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Any thread. The whole text as a tree. Throws JsonFault, std::bad_alloc.
JsonValue read_json(std::string_view text, const JsonLimits& = {});

/// The same for an object that may be large: gives its members one by one, in their order, and keeps their
/// keys alone. The limits are those of each member. What `take` throws ends the reading. False: the text is
/// JSON, or begins as JSON, but it is no object.
bool read_json_members(std::string_view text, const JsonLimits&,
                       const std::function<void(std::string&& key, JsonValue&& value)>& take);

/// The same as read_json() for a part of a weight file. Throws ModelError "`where`: ...".
JsonValue parse_json(std::string_view text, const std::string& where);

}  // namespace gainstage
