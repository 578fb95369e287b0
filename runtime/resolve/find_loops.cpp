#include "runtime/graph/grouped.hpp"
#include "runtime/graph/loop_text.hpp"
#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

/// Walks depth first, without recursion, along the cables between nodes that don't close loops. A cable back
/// into the path walked so far closes a loop; a delay in each such cable would make all loops legal.
class LoopSearch {
public:
    explicit LoopSearch(Draft& draft)
        : draft_(draft),
          graph_(draft.graph),
          nodes_(graph_.nodes.size()),
          cables_(graph_.nodes.size(), graph_.links.size(), [&](int link) {
              return may_close_a_loop(graph_.links[link]) ? graph_.links[link].from : -1;
          }) {
        for (const GraphLink& link : graph_.links)
            if (may_close_a_loop(link)) nodes_[link.to].is_fed = true;
    }

    /// Sources first: then the cable that is named is the one that leads back.
    void run() {
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            if (!nodes_[i].is_fed) walk_from(static_cast<int>(i));
        for (std::size_t i = 0; i < nodes_.size(); ++i) walk_from(static_cast<int>(i));
    }

private:
    struct Visit {
        bool is_fed = false, seen = false;
        std::size_t next = 0;   ///< cable to be walked next
        std::size_t depth = 0;  ///< position in the path, from 1; 0: not in it
    };

    bool is_breaker(int node) const {
        const NodeType* type = graph_.nodes[node].type;
        return type && type->closes_loops;
    }

    bool may_close_a_loop(const GraphLink& link) const {
        return !is_breaker(link.from) && !is_breaker(link.to);
    }

    Visit& at(int node) { return nodes_[node]; }

    void enter(int node) {
        path_.push_back(node);
        at(node).seen = true;
        at(node).depth = path_.size();
    }

    void walk_from(int start) {
        if (at(start).seen) return;
        enter(start);
        while (!path_.empty()) {
            Visit& visit = at(path_.back());
            const std::span<const int> cables = cables_[path_.back()];
            if (visit.next == cables.size()) {
                visit.depth = 0;
                path_.pop_back();
                continue;
            }
            const GraphLink& cable = graph_.links[cables[visit.next++]];
            if (at(cable.to).depth > 0)
                complain(cable);
            else if (!at(cable.to).seen)
                enter(cable.to);
        }
    }

    void complain(const GraphLink& back) {
        draft_.problems.error(
            back.place, "links",
            fmt::format("the loop {} has no delay; put a node of type \"delay\" (delay_samples = 1 up) into "
                        "its cable \"{}\"",
                        loop_text(graph_, std::span(path_).subspan(at(back.to).depth - 1)),
                        cable_text(graph_, back)));
    }

    Draft& draft_;
    const Graph& graph_;
    std::vector<Visit> nodes_;
    const Grouped cables_;  // that leave a node, where no delay stands at either end
    std::vector<int> path_;
};

}  // namespace

void check_loops(Draft& draft) {
    LoopSearch(draft).run();
}

}  // namespace gainstage
