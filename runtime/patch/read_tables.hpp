#pragma once
/// The parts of a patch, each read by its own file.

#include "runtime/patch/characters.hpp"
#include "runtime/patch/expect.hpp"
#include "runtime/patch/patch.hpp"

namespace gainstage {

/// What names of nodes and ports consist of: small letters, digits, _ and -.
inline constexpr Characters name_characters = table_of("abcdefghijklmnopqrstuvwxyz0123456789_-");
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
/// `[scenes.NAME]` tables.
void read_scenes(const TomlEntry&, Patch&, ProblemList&);

/// `key = value` in the table of a node. Nothing where no setting has such a value: that is reported.
std::optional<Setting> read_setting(const TomlEntry&, const Expect&);

}  // namespace gainstage
