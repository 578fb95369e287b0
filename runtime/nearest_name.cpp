#include "runtime/nearest_name.hpp"

#include <algorithm>
#include <array>

namespace gainstage {

namespace {

constexpr std::size_t longest = 48;  // a longer word is no typing slip
constexpr int far = 1'000;

char folded(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

/// Optimal string alignment distance (Damerau 1964, restricted): how many letters must be added, dropped,
/// replaced or swapped with their neighbour.
int slips(std::string_view a, std::string_view b) {
    using Row = std::array<int, longest + 1>;
    Row before{}, above{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
    }
    return above[b.size()];
}

bool begins(std::string_view text, std::string_view with) {
    return text.size() > with.size() && std::equal(with.begin(), with.end(), text.begin(),
                                                   [](char a, char b) { return folded(a) == folded(b); });
}

bool ends(std::string_view text, std::string_view with) {
    return text.size() > with.size() && std::equal(with.rbegin(), with.rend(), text.rbegin(),
                                                   [](char a, char b) { return folded(a) == folded(b); });
}

/// Twice the number of slips. A name of which only the beginning was typed counts as half a slip: it wins
/// against any other slip, but not against the same name with other capitals. A whole name with something
/// before or behind it ("noisegate" for "gate") counts as two and a half.
int distance(std::string_view wrong, std::string_view name) {
    if (name.size() > longest || name.empty()) return far;
    if (wrong.size() >= 2 && begins(name, wrong)) return 1;
    constexpr std::size_t telling = 4;  // "in" and "out" end many words
    const bool is_within = name.size() >= telling && (begins(wrong, name) || ends(wrong, name));
    const int allowed = std::max(1, static_cast<int>(std::max(wrong.size(), name.size()) + 1) / 3);
    const int lengths = std::abs(static_cast<int>(wrong.size()) - static_cast<int>(name.size()));
    if (lengths > allowed) return is_within ? 5 : far;
    const int count = slips(wrong, name);
    // A word that keeps no letter of the name is no slip of it.
    const bool is_slip = count <= allowed && count < static_cast<int>(name.size());
    return std::min(is_slip ? 2 * count : far, is_within ? 5 : far);
}

}  // namespace

std::string_view nearest_name(std::string_view wrong, const Names& names) {
    if (wrong.empty() || wrong.size() > longest) return {};
    std::string_view best;
    int least = far;
    for (const std::string_view name : names) {
        const int d = distance(wrong, name);
        // Of two that begin so, the shorter: less of it was left out.
        const bool is_shorter = d == 1 && least == 1 && name.size() < best.size();
        if (d < least || is_shorter) least = d, best = name;
    }
    return best;
}

}  // namespace gainstage
