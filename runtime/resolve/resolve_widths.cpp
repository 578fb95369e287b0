#include <algorithm>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

/// The number of channels that the option `channels` fixes; 0: it leaves the choice to the cables.
int channels_option(const GraphNode& node) {
    for (const auto& [name, value] : node.options.values) {
        if (name != "channels") continue;
        if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<int>(*number);
        if (const auto* list = std::get_if<std::vector<int>>(&value)) return static_cast<int>(list->size());
    }
    return 0;
}

/// Widths only ever grow from 1 to 2, so that the search ends, with or without loops.
class Widths {
public:
    explicit Widths(Draft& draft) : draft_(draft), nodes_(draft.graph.nodes) {
        incoming_.resize(nodes_.size());
        outgoing_.resize(nodes_.size());
        for (const GraphLink& link : draft.graph.links) {
            incoming_[link.to].push_back(&link);
            outgoing_[link.from].push_back(&link);
        }
    }

    void resolve() {
        for (std::size_t i = 0; i < nodes_.size(); ++i) prepare(i);
        while (!waiting_.empty()) {
            const std::size_t next = waiting_.back();
            waiting_.pop_back();
            if (update(next)) wake_readers(next);
        }
        for (const GraphLink& link : draft_.graph.links) check(link);
    }

private:
    void prepare(std::size_t index) {
        GraphNode& node = nodes_[index];
        if (!node.type) return;
        node.input_channels.assign(node.type->inputs.size(), 0);
        node.output_channels.assign(node.type->outputs.size(), 1);
        waiting_.push_back(index);
    }

    int cable_channels(const GraphLink& link) const {
        return nodes_[link.from].output_channels[link.from_port];
    }

    /// True: an output changed.
    bool update(std::size_t index) {
        GraphNode& node = nodes_[index];
        std::vector<int> cables(node.type->inputs.size(), 0);
        for (const GraphLink* link : incoming_[index]) {
            int& widest = cables[link->to_port];
            widest = std::max(widest, cable_channels(*link));
        }
        node.channels = 1;
        int widest = 1;
        for (std::size_t port = 0; port < cables.size(); ++port) {
            widest = std::max(widest, cables[port]);
            if (node.type->inputs[port].width == Width::follow)
                node.channels = std::max(node.channels, cables[port]);
        }
        for (std::size_t port = 0; port < cables.size(); ++port)
            node.input_channels[port] =
                cables[port] == 0 ? 0 : width(node, node.type->inputs[port].width, cables[port], widest);
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

    void wake_readers(std::size_t index) {
        for (const GraphLink* link : outgoing_[index]) waiting_.push_back(static_cast<std::size_t>(link->to));
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
    std::vector<GraphNode>& nodes_;
    std::vector<std::vector<const GraphLink*>> incoming_, outgoing_;
    std::vector<std::size_t> waiting_;
};

}  // namespace

void resolve_widths(Draft& draft) {
    Widths(draft).resolve();
}

}  // namespace gainstage
