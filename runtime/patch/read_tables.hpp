#pragma once
/// The parts of a patch, each read by its own file.

#include <array>
#include <string_view>

#include "runtime/patch/expect.hpp"
#include "runtime/patch/patch.hpp"

namespace gainstage {

/// What names of nodes and ports consist of: small letters, digits, _ and -.
inline constexpr std::array<bool, 256> name_characters = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyz0123456789_-"))
        table[static_cast<unsigned char>(c)] = true;
    return table;
}();
inline bool fits_into_a_name(char c) {
    return name_characters[static_cast<unsigned char>(c)];
}

/// Top-level keys and everything below them.
void read_document(const TomlTable&, Patch&, ProblemList&);
/// `links = ["a -> b.port -> c", ...]`
void read_links(const TomlEntry&, Patch&, ProblemList&);
/// `[nodes.ID]` tables.
void read_nodes(const TomlEntry&, Patch&, ProblemList&);
/// `[[midi]]` tables.
void read_midi(const TomlEntry&, Patch&, ProblemList&);

}  // namespace gainstage
