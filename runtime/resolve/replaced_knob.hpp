#pragma once
/// Knobs that do nothing because an option decides instead.

#include "runtime/graph/graph.hpp"

namespace gainstage {

/// The option that decides instead of this knob (`delay_samples` instead of `delay_ms`); null: none.
const OptionSpec* replacement_of(const GraphNode&, std::string_view knob);

}  // namespace gainstage
