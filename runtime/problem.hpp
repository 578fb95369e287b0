#pragma once
/// One fault in a user's file: where it is, which key, what was expected, what to do.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "runtime/sysexits.hpp"

namespace gainstage {

/// A position in a text file, counted from 1. Line 0 stands for the whole file.
struct Place {
    int line = 0, column = 0;
    bool operator==(const Place&) const = default;
};

struct Problem {
    std::string file;
    Place place;
    std::string key;       ///< dotted path, "nodes.trim.gain_db"; empty for the whole file
    std::string message;   ///< cause and remedy in one sentence, with the nearest valid name if one is near
    bool is_note = false;  ///< the user should know, but the file is good
    int exit_code = sysexits::bad_data;

    /// "file:line:column: key: message"
    std::string text() const {
        const std::string at = place.line ? fmt::format("{}:{}:{}", file, place.line, place.column) : file;
        return key.empty() ? fmt::format("{}: {}", at, message) : fmt::format("{}: {}: {}", at, key, message);
    }
};

using Problems = std::vector<Problem>;

inline bool has_errors(const Problems& problems) {
    for (const Problem& problem : problems)
        if (!problem.is_note) return true;
    return false;
}

}  // namespace gainstage
