#pragma once
/// The one list of node types.

#include "runtime/node.hpp"

namespace gainstage {

/// Every node type that a patch may name. Any thread; the list is built once, on first use.
NodeTypes all_nodes();

}  // namespace gainstage
