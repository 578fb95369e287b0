#include "runtime/problem_list.hpp"

#include <algorithm>
#include <tuple>

#include "runtime/plain_text.hpp"

namespace gainstage {

namespace {
constexpr std::size_t longest_shown = 60, most_listed = 40;

bool continues_a_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u;
}
}  // namespace

std::string shown(std::string_view text) {
    const bool cut = text.size() > longest_shown;
    std::size_t end = cut ? longest_shown : text.size();
    while (cut && end > 0 && continues_a_character(text[end])) --end;
    const std::string out = plain_line(text.substr(0, end));
    return cut ? out + "..." : out;
}

std::string in_quotes(std::string_view text) {
    return '"' + shown(text) + '"';
}

std::string list_of(const Names& names) {
    std::string out;
    for (std::size_t i = 0; i < names.size() && i < most_listed; ++i)
        out += (i ? ", " : "") + shown(names[i]);
    return names.size() > most_listed ? fmt::format("{} and {} more", out, names.size() - most_listed) : out;
}

void ProblemList::error(Place place, std::string key, std::string message, int exit_code) {
    problems_.push_back({.file = file_,
                         .place = place,
                         .key = std::move(key),
                         .message = std::move(message),
                         .is_note = false,
                         .exit_code = exit_code});
}

void ProblemList::note(Place place, std::string key, std::string message) {
    problems_.push_back({.file = file_,
                         .place = place,
                         .key = std::move(key),
                         .message = std::move(message),
                         .is_note = true});
}

std::string ProblemList::unknown(std::string_view cause, std::string_view wrong, std::string_view what,
                                 const Names& names) {
    std::string_view near;
    if (comparisons_left_ > 0) near = nearest_name(wrong, names);
    comparisons_left_ -= static_cast<long>(names.size());
    std::string message(cause);
    if (!near.empty()) message += fmt::format("; did you mean {}?", in_quotes(near));
    return message + fmt::format(" ({}: {})", what, names.empty() ? "none" : list_of(names));
}

Problems ProblemList::take() {
    sort_by_place(problems_);
    // A name that is wrong on both sides of a cable is found twice.
    const auto is_same = [](const Problem& a, const Problem& b) {
        return std::tie(a.place.line, a.place.column, a.key, a.message, a.is_note) ==
               std::tie(b.place.line, b.place.column, b.key, b.message, b.is_note);
    };
    problems_.erase(std::unique(problems_.begin(), problems_.end(), is_same), problems_.end());
    return std::move(problems_);
}

void sort_by_place(Problems& problems) {
    // Not std::stable_sort: clang 19 warns about g++ 12's.
    using Position = std::tuple<int, int, std::size_t>;
    std::vector<Position> order;
    for (const Problem& problem : problems)
        order.emplace_back(problem.place.line, problem.place.column, order.size());
    std::sort(order.begin(), order.end());
    Problems sorted;
    for (const Position& position : order) sorted.push_back(std::move(problems[std::get<2>(position)]));
    problems = std::move(sorted);
}

namespace {

void shorten_notes(Problems& problems, const std::string& where, std::size_t most) {
    std::size_t notes = 0;
    std::string file;
    std::erase_if(problems, [&](const Problem& problem) {
        if (!problem.is_note || ++notes <= most) return false;
        file = problem.file;
        return true;
    });
    if (notes > most)
        problems.push_back({.file = file,
                            .place = {},
                            .key = {},
                            .message = fmt::format("and {} more; {}", notes - most, where),
                            .is_note = true});
}

}  // namespace

void shorten_for_people(Problems& problems, const std::string& where, std::size_t most) {
    shorten(problems, most, where);
    shorten_notes(problems, where, most);
}

namespace {

/// Who reads a patch has already counted those beyond this as one.
std::string number_of_more(std::size_t errors, std::size_t most) {
    const bool is_known = most >= most_errors_shown || errors <= most_errors_shown;
    return is_known ? std::to_string(errors - most) : "many";
}

}  // namespace

void shorten(Problems& problems, std::size_t most, const std::string& where) {
    std::size_t errors = 0;
    int exit_code = 0;
    std::string file;
    std::erase_if(problems, [&](const Problem& problem) {
        if (problem.is_note || ++errors <= most) return false;
        exit_code = std::max(exit_code, problem.exit_code);
        file = problem.file;
        return true;
    });
    if (errors > most)
        problems.push_back({.file = file,
                            .place = {},
                            .key = {},
                            .message = fmt::format("and {} more{}{}", number_of_more(errors, most),
                                                   where.empty() ? "" : "; ", where),
                            .is_note = false,
                            .exit_code = exit_code});
}

}  // namespace gainstage
