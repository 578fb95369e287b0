#include "runtime/plan/order.hpp"

#include <algorithm>

namespace gainstage {

namespace {

using Lists = std::vector<std::vector<int>>;

/// Strongly connected components, each after all that feed it. Tarjan 1972, with an explicit stack; edges are
/// followed from a node to its sources, which makes components come out sources first.
class Components {
public:
    explicit Components(const Lists& sources)
        : sources_(sources),
          index_(sources.size(), -1),
          low_(sources.size(), 0),
          on_stack_(sources.size(), false) {
        for (int n = 0; n < static_cast<int>(sources.size()); ++n)
            if (index_[n] < 0) visit(n);
    }
    Lists found;

private:
    struct Frame {
        int node;
        std::size_t next;
    };

    void enter(int node) {
        index_[node] = low_[node] = count_++;
        stack_.push_back(node);
        on_stack_[node] = true;
        frames_.push_back({node, 0});
    }

    void visit(int root) {
        enter(root);
        while (!frames_.empty()) {
            Frame& frame = frames_.back();
            const int node = frame.node;
            if (frame.next < sources_[node].size()) {
                const int source = sources_[node][frame.next++];
                if (index_[source] < 0)
                    enter(source);
                else if (on_stack_[source])
                    low_[node] = std::min(low_[node], index_[source]);
                continue;
            }
            frames_.pop_back();
            if (!frames_.empty()) {
                int& low = low_[frames_.back().node];
                low = std::min(low, low_[node]);
            }
            if (low_[node] == index_[node]) take_component(node);
        }
    }

    void take_component(int root) {
        std::vector<int> members;
        for (int node = -1; node != root;) {
            node = stack_.back();
            stack_.pop_back();
            on_stack_[node] = false;
            members.push_back(node);
        }
        std::sort(members.begin(), members.end());
        found.push_back(std::move(members));
    }

    const Lists& sources_;
    std::vector<int> index_, low_, stack_;
    std::vector<bool> on_stack_;
    std::vector<Frame> frames_;
    int count_ = 0;
};

bool feeds_itself(const Lists& sources, int node) {
    const auto& list = sources[node];
    return std::find(list.begin(), list.end(), node) != list.end();
}

/// The members of a loop without those that close it, sources first; false if they still form a loop.
bool order_inside(const Lists& sources, OrderGroup& group) {
    std::vector<int> place(sources.size(), -1);
    for (std::size_t i = 0; i < group.nodes.size(); ++i) place[group.nodes[i]] = static_cast<int>(i);
    Lists inner(group.nodes.size());
    for (std::size_t i = 0; i < group.nodes.size(); ++i)
        for (const int source : sources[group.nodes[i]])
            if (place[source] >= 0) inner[i].push_back(place[source]);
    std::vector<int> ordered;
    const Components components(inner);
    for (const auto& component : components.found) {
        if (component.size() > 1 || feeds_itself(inner, component.front())) {
            std::vector<int> cycle;
            for (const int i : component) cycle.push_back(group.nodes[i]);
            group.nodes = cycle;
            return false;
        }
        ordered.push_back(group.nodes[component.front()]);
    }
    group.nodes = std::move(ordered);
    return true;
}

}  // namespace

Order order_nodes(const Lists& sources, const std::vector<bool>& closes_loops) {
    Order order;
    const Components components(sources);
    for (const auto& members : components.found) {
        OrderGroup group;
        group.is_loop = members.size() > 1 || feeds_itself(sources, members.front());
        for (const int node : members)
            (group.is_loop && closes_loops[node] ? group.breakers : group.nodes).push_back(node);
        if (group.is_loop && !order_inside(sources, group)) {
            order.bad_cycle = group.nodes;
            return order;
        }
        order.groups.push_back(std::move(group));
    }
    return order;
}

}  // namespace gainstage
