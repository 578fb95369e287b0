#pragma once
/// What is so on this machine, whichever patch plays: `$XDG_CONFIG_HOME/gainstage/machine.toml`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/problem.hpp"

namespace gainstage {

/// What the file says. The command line wins, key by key.
struct MachineFile {
    std::string path = {};  ///< "": there is none
    std::optional<std::string> device = {}, api = {};
    std::optional<int> rate_hz = {}, block_frames = {};
    std::optional<std::vector<std::string>> midi = {};
    Problems problems = {};  ///< with errors nothing of it counts
};

/// `$XDG_CONFIG_HOME/gainstage/machine.toml`, or the same in `~/.config`; "": neither is known.
std::string machine_file_path();
/// Reads the file at that path. One that is not there says nothing, and that is no problem.
MachineFile read_machine_file();
/// The same from memory; `path` is for messages.
MachineFile parse_machine_file(std::string_view text, const std::string& path);

/// "device \"USB\", 48000 Hz, blocks of 128 frames"; "": it says nothing.
std::string text_of(const MachineFile&);

}  // namespace gainstage
