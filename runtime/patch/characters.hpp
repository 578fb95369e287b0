#pragma once
/// Kinds of characters, and texts without the blanks around them.

#include <array>
#include <string_view>

namespace gainstage {

using Characters = std::array<bool, 256>;

/// Which bytes stand in `characters`.
constexpr Characters table_of(std::string_view characters) {
    Characters table{};
    for (const char c : characters) table[static_cast<unsigned char>(c)] = true;
    return table;
}

/// Without blanks, tabs and line ends at either end.
constexpr std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return text.substr(0, 0);
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace gainstage
