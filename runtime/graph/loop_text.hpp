#pragma once
/// A loop of nodes, as messages name it.

#include <span>
#include <string>

#include "runtime/graph/graph.hpp"

namespace gainstage {

/// "echo -> tone -> echo". Of a long loop only the ends are named. `nodes`: indices into the graph, in the
/// order in which the sound passes them, each once. Any thread.
std::string loop_text(const Graph&, std::span<const int> nodes);

}  // namespace gainstage
