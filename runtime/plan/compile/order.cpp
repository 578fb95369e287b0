#include "runtime/plan/compile/order.hpp"

#include <algorithm>

namespace gainstage {

namespace {

/// Strongly connected components, each after all that feed it. Tarjan 1972, with an explicit stack; edges are
/// followed from a node to its sources, which makes components come out sources first.
class Components {
public:
    explicit Components(const SourceLists& sources)
        : sources_(sources),
          index_(sources.size(), -1),
          low_(sources.size(), 0),
          on_stack_(sources.size(), false) {
        members_.reserve(sources.size());
        ends_.reserve(sources.size());
        for (int n = 0; n < static_cast<int>(sources.size()); ++n)
            if (index_[n] < 0) visit(n);
    }

    std::size_t size() const { return ends_.size(); }
    /// Ascending.
    std::span<const int> operator[](std::size_t component) const {
        const std::size_t begin = component == 0 ? 0 : ends_[component - 1];
        return std::span(members_).subspan(begin, ends_[component] - begin);
    }

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
            const std::span<const int> sources = sources_[node];
            if (frame.next < sources.size()) {
                const int source = sources[frame.next++];
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
        const std::size_t begin = members_.size();
        for (int node = -1; node != root;) {
            node = stack_.back();
            stack_.pop_back();
            on_stack_[node] = false;
            members_.push_back(node);
        }
        std::sort(members_.begin() + static_cast<std::ptrdiff_t>(begin), members_.end());
        ends_.push_back(members_.size());
    }

    const SourceLists& sources_;
    std::vector<int> index_, low_, stack_;
    std::vector<bool> on_stack_;
    std::vector<Frame> frames_;
    std::vector<int> members_;  // component after component
    std::vector<std::size_t> ends_;
    int count_ = 0;
};

bool feeds_itself(std::span<const int> sources, int node) {
    return std::find(sources.begin(), sources.end(), node) != sources.end();
}

class Orderer {
public:
    Orderer(const SourceLists& sources, const std::vector<bool>& closes_loops)
        : sources_(sources), closes_loops_(closes_loops) {}

    Order run() {
        order_.members.reserve(sources_.size());
        order_.groups.reserve(sources_.size());
        const Components components(sources_);
        for (std::size_t c = 0; c < components.size() && order_.bad_cycle.empty(); ++c) {
            const std::span<const int> members = components[c];
            if (members.size() == 1 && !feeds_itself(sources_[members.front()], members.front()))
                order_.add_group(members, {}, false);
            else
                add_loop(members);
        }
        return std::move(order_);
    }

private:
    void add_loop(std::span<const int> members) {
        std::vector<int> nodes, breakers;
        for (const int node : members) (closes_loops_[node] ? breakers : nodes).push_back(node);
        const SourceLists inner = sources_within(nodes);
        std::vector<int> ordered;
        const Components components(inner);
        for (std::size_t c = 0; c < components.size(); ++c) {
            const std::span<const int> component = components[c];
            const bool is_loop =
                component.size() > 1 || feeds_itself(inner[component.front()], component.front());
            for (const int i : component) (is_loop ? order_.bad_cycle : ordered).push_back(nodes[i]);
            if (is_loop) return;
        }
        order_.add_group(ordered, breakers, true);
    }

    /// The sources of these nodes that are among them, under their places in the list.
    SourceLists sources_within(const std::vector<int>& nodes) {
        place_.resize(sources_.size(), -1);
        for (std::size_t i = 0; i < nodes.size(); ++i) place_[nodes[i]] = static_cast<int>(i);
        SourceLists inner;
        for (const int node : nodes) {
            inner.add_node();
            for (const int source : sources_[node])
                if (place_[source] >= 0) inner.add_source(place_[source]);
        }
        for (const int node : nodes) place_[node] = -1;
        return inner;
    }

    const SourceLists& sources_;
    const std::vector<bool>& closes_loops_;
    std::vector<int> place_;  // per node: its place in the loop at hand, or -1
    Order order_;
};

}  // namespace

void Order::add_group(std::span<const int> nodes, std::span<const int> breakers, bool is_loop) {
    const int begin = static_cast<int>(members.size()), middle = begin + static_cast<int>(nodes.size());
    members.insert(members.end(), nodes.begin(), nodes.end());
    members.insert(members.end(), breakers.begin(), breakers.end());
    groups.push_back({begin, middle, static_cast<int>(members.size()), is_loop});
}

Order order_nodes(const SourceLists& sources, const std::vector<bool>& closes_loops) {
    return Orderer(sources, closes_loops).run();
}

Order part_of_order(const Order& whole, std::span<const int> number_of) {
    Order order;
    std::vector<int> nodes, breakers;
    for (const OrderGroup& group : whole.groups) {
        nodes.clear();
        breakers.clear();
        for (const int node : whole.nodes(group))
            if (number_of[node] >= 0) nodes.push_back(number_of[node]);
        for (const int node : whole.breakers(group))
            if (number_of[node] >= 0) breakers.push_back(number_of[node]);
        if (breakers.empty())
            for (const int node : nodes) order.add_group({&node, 1}, {}, false);
        else
            order.add_group(nodes, breakers, true);
    }
    return order;
}

}  // namespace gainstage
