#pragma once
/// TOML -> Patch. The only door to toml++.

#include <string>
#include <vector>

#include "runtime/patch/patch.hpp"

namespace gainstage {

struct ReadPatch {
    Patch patch;
    Problems problems;  ///< everything wrong with the file; `patch` holds what was understood
};

/// Control thread. Never throws, whatever the file holds: an empty, binary, huge, deeply nested, wrongly
/// encoded or missing file gives one clear problem.
ReadPatch read_patch_file(const std::string& file);

/// The same for text in memory; `file` is for messages, the folders are what model paths are relative to.
ReadPatch read_patch_text(std::string text, const std::string& file, const std::string& folder,
                          const std::vector<std::string>& link_folders = {});

}  // namespace gainstage
