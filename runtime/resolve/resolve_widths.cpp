#include <algorithm>

#include "runtime/graph/grouped.hpp"
#include "runtime/numbers.hpp"
#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

/// The number of channels that the option `channels` sets; 0: the cables decide.
int channels_option(const GraphNode& node) {
    for (const auto& [name, value] : node.options.values) {
        if (name != "channels") continue;
        if (const auto* number = std::get_if<std::int64_t>(&value))
            return whole_within(static_cast<double>(*number), 0, max_channels);
        if (const auto* list = std::get_if<std::vector<int>>(&value)) return static_cast<int>(list->size());
    }
    return 0;
}

/// Widths only grow, from 1 to 2, so the search ends even where there are loops.
class Widths {
public:
    explicit Widths(Draft& draft)
        : draft_(draft),
          nodes_(draft.graph.nodes),
          links_(draft.graph.links),
          incoming_(nodes_.size(), links_.size(), [&](int link) { return links_[link].to; }),
          outgoing_(nodes_.size(), links_.size(), [&](int link) { return links_[link].from; }) {}

    void resolve() {
        for (int i = static_cast<int>(nodes_.size()) - 1; i >= 0; --i) prepare(i);
        while (!waiting_.empty()) {
            const int next = waiting_.back();
            waiting_.pop_back();
            if (update(next)) wake_readers(next);
        }
        for (const GraphLink& link : links_) check(link);
    }

private:
    void prepare(int index) {
        GraphNode& node = nodes_.edit(index);
        if (!node.type) return;
        node.input_channels.assign(node.type->inputs.size(), 0);
        node.output_channels.assign(node.type->outputs.size(), 1);
        waiting_.push_back(index);
    }

    int cable_channels(const GraphLink& link) const {
        return nodes_[link.from].output_channels[link.from_port];
    }

    /// True: an output changed.
    bool update(int index) {
        GraphNode& node = nodes_.edit(index);
        cables_.assign(node.type->inputs.size(), 0);
        for (const int link : incoming_[index]) {
            int& widest = cables_[links_[link].to_port];
            widest = std::max(widest, cable_channels(links_[link]));
        }
        node.channels = 1;
        int widest = 1;
        for (std::size_t port = 0; port < cables_.size(); ++port) {
            widest = std::max(widest, cables_[port]);
            if (node.type->inputs[port].width == Width::follow)
                node.channels = std::max(node.channels, cables_[port]);
        }
        for (std::size_t port = 0; port < cables_.size(); ++port)
            node.input_channels[port] =
                cables_[port] == 0 ? 0 : width(node, node.type->inputs[port].width, cables_[port], widest);
        bool changed = false;
        for (std::size_t port = 0; port < node.output_channels.size(); ++port) {
            const int now = width(node, node.type->outputs[port].width, node.channels, widest);
            changed = changed || now != node.output_channels[port];
            node.output_channels[port] = now;
        }
        return changed;
    }

    static int width(const GraphNode& node, Width kind, int own, int widest) {
        switch (kind) {
            case Width::follow:
                return node.channels;
            case Width::own:
                return own;
            case Width::mono:
                return 1;
            case Width::stereo:
                return 2;
            case Width::option:
                break;
        }
        const int fixed = channels_option(node);
        return fixed > 0 ? std::min(fixed, max_channels) : widest;
    }

    void wake_readers(int index) {
        for (const int link : outgoing_[index]) waiting_.push_back(links_[link].to);
    }

    void check(const GraphLink& link) {
        const GraphNode& to = nodes_[link.to];
        if (cable_channels(link) <= to.input_channels[link.to_port]) return;
        const GraphNode& from = nodes_[link.from];
        draft_.problems.error(
            link.place, "links",
            fmt::format("{} is stereo but {} takes one channel; fold it to mono with a node of type \"mix\" "
                        "and channels = 1 in this cable",
                        in_quotes(port_text(from, from.type->outputs, link.from_port)),
                        in_quotes(port_text(to, to.type->inputs, link.to_port))));
    }

    Draft& draft_;
    NodeList& nodes_;
    const std::vector<GraphLink>& links_;
    const Grouped incoming_, outgoing_;  // links per node
    std::vector<int> waiting_;           // nodes whose inputs may have grown
    std::vector<int> cables_;            // per input port of the node at hand: its widest cable
};

}  // namespace

void resolve_widths(Draft& draft) {
    Widths(draft).resolve();
}

}  // namespace gainstage
