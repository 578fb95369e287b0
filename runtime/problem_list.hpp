#pragma once
/// Collects the faults of one file, in words that a player can act on.

#include <string>
#include <string_view>

#include "runtime/nearest_name.hpp"
#include "runtime/problem.hpp"

namespace gainstage {

class ProblemList {
public:
    explicit ProblemList(std::string file) : file_(std::move(file)) {}

    void error(Place, std::string key, std::string message, int exit_code = sysexits::bad_data);
    void note(Place, std::string key, std::string message);

    /// "CAUSE; did you mean "NAME"? (WHAT: all, the, names)"
    std::string unknown(std::string_view cause, std::string_view wrong, std::string_view what,
                        const Names& names);

    /// All problems, sorted by place.
    Problems take();

private:
    std::string file_;
    Problems problems_;
    // A hostile file may hold 100,000 wrong names, each of which would be compared with 100,000 others.
    long comparisons_left_ = 2'000'000;
};

/// Stable. Problems of the whole file come first.
void sort_by_place(Problems&);

/// Nobody reads more errors of one patch at once.
inline constexpr std::size_t most_errors_shown = 100;
/// Keeps the first `most` errors and every note. If there were more errors, one more says how many, and
/// `where` all of them are to be seen; its exit code is the highest of theirs.
void shorten(Problems&, std::size_t most = most_errors_shown, const std::string& where = {});

/// A patch of many nodes may have an error or a note for each.
inline constexpr std::size_t most_told = 10;
/// For people: keeps the first `most` errors and the first `most` notes. If there were more, one more of each
/// says how many, and `where` all of them are to be seen.
void shorten_for_people(Problems&, const std::string& where, std::size_t most = most_told);

/// `"text"` on one line, without control characters, cut if it is long. For text of an untrusted file in a
/// message.
std::string in_quotes(std::string_view text);
/// The same without quotation marks, for the path of a key.
std::string shown(std::string_view text);
/// "a, b, c", cut if there are many.
std::string list_of(const Names& names);

}  // namespace gainstage
