#pragma once
/// Values of a patch's [nodes], written into its text: the rest stays byte for byte.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/problem.hpp"

namespace gainstage {

/// A knob of a node as the text has it: `key = value`.
struct WrittenValue {
    std::string node, key;
    std::string value;  ///< as TOML: "-6.5", "true"
};

struct ValuesWritten {
    std::string text;
    Problems problems;  ///< then the text is not to be used
};

/// A value that the text has is replaced in its place; one that it lacks comes behind the node's type. What
/// was written is read again: a text that would say anything else is a problem. Any thread but the audio
/// thread. `file` is for messages.
ValuesWritten write_values(std::string_view text, const std::vector<WrittenValue>&, const std::string& file);

}  // namespace gainstage
