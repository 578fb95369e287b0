#pragma once
/// In which order nodes run: sources first, loops kept together.

#include <vector>

namespace gainstage {

/// Nodes that run together: one node, or all nodes of a loop (or of loops that share nodes).
struct OrderGroup {
    std::vector<int> nodes;     ///< those that do not close the loop, sources first; or the one node
    std::vector<int> breakers;  ///< the delays that close the loop: they emit before `nodes` and absorb after
    bool is_loop = false;
};

struct Order {
    std::vector<OrderGroup> groups;  ///< sources first
    std::vector<int> bad_cycle;      ///< nodes of a loop without a delay; then `groups` means nothing
};

/// `sources[n]`: nodes that feed node n. Control thread. Linear in nodes and cables, no recursion.
Order order_nodes(const std::vector<std::vector<int>>& sources, const std::vector<bool>& closes_loops);

}  // namespace gainstage
