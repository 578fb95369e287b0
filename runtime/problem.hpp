#pragma once
/// What is wrong with a user's file: where, which key, what was expected, what to do.

#include <fmt/format.h>

#include <string>
#include <vector>

namespace gainstage {

/// A position in a text file, counted from 1; line 0: the file as a whole.
struct Place {
    int line = 0, column = 0;
    bool operator==(const Place&) const = default;
};

struct Problem {
    std::string file;
    Place place;
    std::string key;      ///< dotted path, "nodes.trim.gain_db"; empty for the file as a whole
    std::string message;  ///< cause and remedy in one sentence, with the nearest valid name where one is near
    bool is_note = false;  ///< worth saying, but the file is good
    int exit_code = 65;    ///< sysexits: 65 bad data, 66 file not found

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
