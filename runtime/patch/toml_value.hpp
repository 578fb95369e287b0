#pragma once
/// A TOML document as plain values: in the file's order, each key and value with its place. The rest of
/// patch/ reads this; only parse_toml.cpp sees toml++.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/not_trivial.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

struct TomlEntry;
struct TomlDate : NotTrivial {};  ///< a date or a time: no setting of a patch is one

using TomlTable = std::vector<TomlEntry>;  ///< in the file's order

struct TomlValue {
    Place place, end;
    std::variant<bool, std::int64_t, double, std::string, TomlDate, std::vector<TomlValue>, TomlTable> value;

    template <class T>
    const T* as() const {
        return std::get_if<T>(&value);
    }
};

struct TomlEntry {
    std::string key;
    Place place;
    TomlValue value;
};

/// "a number", "a list", ...: names the kind of a value in a message.
std::string kind_of(const TomlValue&);

/// Control thread. Never throws. Returns nothing if the text is no TOML; then it has added exactly one
/// problem.
std::optional<TomlTable> parse_toml(std::string_view text, ProblemList&);

/// Where brackets or dotted keys nest deeper than in any patch. toml++ frees its tree recursively, so a
/// hostile file could exhaust the stack.
std::optional<Place> find_deep_nesting(std::string_view text);

}  // namespace gainstage
