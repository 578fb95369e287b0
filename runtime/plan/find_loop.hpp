#pragma once
/// Which loop a node is in.

#include <vector>

#include "runtime/plan/arrangement.hpp"

namespace gainstage {

/// The shortest loop of cables through the node: indices of its nodes in the order in which the sound passes
/// them, from a delay that closes it. Delays that align paths are left out. Empty: the node is in no loop.
/// Any thread.
std::vector<int> find_loop(const Arrangement&, int node);

}  // namespace gainstage
