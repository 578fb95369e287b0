#pragma once
/// In which order nodes run: sources first, loops kept together.

#include <span>
#include <vector>

namespace gainstage {

/// For every node, the nodes that feed it, in two arrays. Written from the first node to the last.
class SourceLists {
public:
    void add_node() { first_.push_back(static_cast<int>(sources_.size())); }
    void add_source(int node) { sources_.push_back(node); }

    std::size_t size() const noexcept { return first_.size(); }
    std::span<const int> operator[](int node) const noexcept {
        const bool is_last = static_cast<std::size_t>(node) + 1 == first_.size();
        return {sources_.data() + first_[node],
                is_last ? sources_.data() + sources_.size() : sources_.data() + first_[node + 1]};
    }

private:
    std::vector<int> first_, sources_;
};

/// Nodes that run together: one node, or all nodes of a loop or of loops that share nodes. Indices into
/// Order::members.
struct OrderGroup {
    int begin = 0, breakers = 0, end = 0;
    bool is_loop = false;
};

struct Order {
    std::vector<int> members;        ///< nodes, group after group
    std::vector<OrderGroup> groups;  ///< sources first
    std::vector<int> bad_cycle;      ///< nodes of a loop without a delay; then the rest means nothing

    /// The nodes that do not close the loop, sources first; or the one node.
    std::span<const int> nodes(const OrderGroup& group) const noexcept {
        return {members.data() + group.begin, members.data() + group.breakers};
    }
    /// The delays that close the loop: they emit before nodes() run and absorb afterwards.
    std::span<const int> breakers(const OrderGroup& group) const noexcept {
        return {members.data() + group.breakers, members.data() + group.end};
    }
    /// Both.
    std::span<const int> all(const OrderGroup& group) const noexcept {
        return {members.data() + group.begin, members.data() + group.end};
    }
    void add_group(std::span<const int> nodes, std::span<const int> breakers, bool is_loop);
};

/// Linear in nodes and cables, no recursion. Any thread but the audio thread.
Order order_nodes(const SourceLists&, const std::vector<bool>& closes_loops);

/// The same order for some of the nodes under other numbers: number_of[node] is the new one, or negative for
/// a node that is left out. It fits any graph whose cables are all among those of the whole graph.
Order part_of_order(const Order& whole, std::span<const int> number_of);

}  // namespace gainstage
