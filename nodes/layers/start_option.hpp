#pragma once
/// The option `start` of models that remember.

#include "runtime/node.hpp"

namespace gainstage {

/// How the node's state begins; runtime/plan/settle.hpp acts on it.
inline OptionSpec start_option() {
    return {
        .name = "start",
        .kind = OptionKind::choice,
        .start = "settled",
        .choices = {"settled", "zero"},
        .summary = "settled: at rest after silence, so it doesn't thump at the start; zero: as published"};
}

}  // namespace gainstage
