#pragma once
/// TOML -> Patch. The only door to toml++.

#include <string>

#include "runtime/patch/patch.hpp"

namespace gainstage {

struct ReadPatch {
    Patch patch;
    Problems problems;  ///< all of the file's; `patch` is meaningful as far as it was understood
};

/// Control thread. Never throws for what a file holds: empty, binary, huge, deeply nested, wrongly encoded or
/// missing files give one clear problem.
ReadPatch read_patch_file(const std::string& file);

/// The same for text in memory; `file` is for messages, `folder` is what model paths are relative to.
ReadPatch read_patch_text(std::string text, const std::string& file, const std::string& folder);

}  // namespace gainstage
