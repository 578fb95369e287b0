#pragma once
/// Knobs that an option has put out of work.

#include "runtime/graph/graph.hpp"

namespace gainstage {

/// The option that decides instead of this knob (`delay_samples` instead of `delay_ms`); null: none.
const OptionSpec* replacement_of(const GraphNode&, std::string_view knob);

}  // namespace gainstage
