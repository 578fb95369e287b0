#include <algorithm>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

Names port_names(const std::vector<PortSpec>& ports) {
    Names names;
    for (const PortSpec& port : ports) names.push_back(port.name);
    return names;
}

/// -1: none. Empty: the first.
int find_port(const std::vector<PortSpec>& ports, std::string_view name) {
    if (name.empty()) return ports.empty() ? -1 : 0;
    for (std::size_t i = 0; i < ports.size(); ++i)
        if (ports[i].name == name) return static_cast<int>(i);
    return -1;
}

/// Both ends packed into one number: at most 2^24 nodes fit into a patch file, and 2^8 ports on a type.
std::uint64_t cable_key(const GraphLink& link) {
    return static_cast<std::uint64_t>(link.from) << 40 | static_cast<std::uint64_t>(link.from_port) << 32 |
           static_cast<std::uint64_t>(link.to) << 8 | static_cast<std::uint64_t>(link.to_port);
}

class Links {
public:
    explicit Links(Draft& draft) : draft_(draft) {}

    void resolve() {
        draft_.graph.links.reserve(draft_.patch.links.size());
        lines_.reserve(draft_.patch.links.size());
        for (const PatchLink& link : draft_.patch.links) resolve_one(link);
        for (std::size_t node = 0; node < draft_.nodes.size(); ++node) check_cables_of(node);
    }

private:
    void resolve_one(const PatchLink& written) {
        const int from = find_node(written.from_node, written.place);
        const int to = find_node(written.to_node, written.to_place);
        const int from_port = from < 0 ? -1 : find_output(from, written);
        const int to_port = to < 0 ? -1 : find_input(to, written);
        if (from >= 0) at(from).heard = true;
        if (to >= 0 && to_port < 0) at(to).has_stray_cable = true;
        if (to_port >= 0) at(to).fed[to_port] = true;
        if (from_port >= 0 && to_port >= 0) add({from, from_port, to, to_port, written.place});
    }

    DraftNode& at(int node) { return draft_.nodes[node]; }
    const GraphNode& graph_node(int node) const { return draft_.graph.nodes[node]; }

    int find_node(const std::string& id, Place place) {
        const auto found = draft_.node_by_id.find(id);
        if (found != draft_.node_by_id.end()) return found->second;
        complain(place,
                 draft_.problems.unknown("there is no node " + in_quotes(id), id, "nodes", node_ids()));
        return -1;
    }

    const Names& node_ids() {
        if (ids_.empty())
            for (const GraphNode& node : draft_.graph.nodes) ids_.push_back(node.id);
        return ids_;
    }

    int find_output(int index, const PatchLink& written) {
        const GraphNode& node = graph_node(index);
        if (!node.type) return -1;
        const int port = find_port(node.type->outputs, written.from_port);
        if (port >= 0) return port;
        if (node.type->outputs.empty())
            complain(written.place, fmt::format("{} has no outputs (type {})", in_quotes(node.id),
                                                in_quotes(node.type->name)));
        else
            complain(written.place, unknown_port(node, "output", written.from_port, node.type->outputs));
        return -1;
    }

    int find_input(int index, const PatchLink& written) {
        const GraphNode& node = graph_node(index);
        if (!node.type) return -1;
        const int port = find_port(node.type->inputs, written.to_port);
        if (port >= 0) return port;
        if (node.type->inputs.empty())
            complain(written.to_place, fmt::format("{} has no inputs (type {})", in_quotes(node.id),
                                                   in_quotes(node.type->name)));
        else
            complain(written.to_place, unknown_input(node, written.to_port));
        return -1;
    }

    std::string unknown_port(const GraphNode& node, std::string_view direction, std::string_view port,
                             const std::vector<PortSpec>& ports) {
        return draft_.problems.unknown(fmt::format("{} (type {}) has no {} {}", in_quotes(node.id),
                                                   in_quotes(node.type->name), direction, in_quotes(port)),
                                       port, fmt::format("{}s", direction), port_names(ports));
    }

    std::string unknown_input(const GraphNode& node, std::string_view port) {
        const std::string message = unknown_port(node, "input", port, node.type->inputs);
        if (find_port(node.type->outputs, port) < 0) return message;
        return fmt::format("{}; to take a cable from the output {}, begin a new chain: \"{}.{} -> ...\"",
                           message, in_quotes(port), node.id, port);
    }

    void add(const GraphLink& link) {
        const auto [first, is_new] = lines_.emplace(cable_key(link), link.place);
        if (is_new) return draft_.graph.links.push_back(link);
        complain(link.place, fmt::format("the cable {} is there already (line {}); take one out",
                                         in_quotes(cable_text(draft_.graph, link)), first->second.line));
    }

    void check_cables_of(std::size_t index) {
        const GraphNode& node = draft_.graph.nodes[index];
        const DraftNode& known = draft_.nodes[index];
        if (!node.type) return;
        for (std::size_t port = 0; port < known.fed.size() && !known.has_stray_cable; ++port)
            if (!known.fed[port] && !node.type->inputs[port].optional)
                draft_.problems.error(
                    node.place, key_of(node),
                    fmt::format("no cable enters its input {}; add \"... -> {}.{}\" to links",
                                in_quotes(node.type->inputs[port].name), shown(node.id),
                                node.type->inputs[port].name));
        if (!known.heard && !node.type->outputs.empty())
            draft_.problems.note(node.place, key_of(node),
                                 fmt::format("no cable leaves it, so that nobody hears it; add \"{} -> ...\" "
                                             "to links",
                                             shown(node.id)));
    }

    void complain(Place place, std::string message) {
        draft_.problems.error(place, "links", std::move(message));
    }

    Draft& draft_;
    Names ids_;
    std::unordered_map<std::uint64_t, Place> lines_;  // of the cables so far
};

}  // namespace

std::string port_text(const GraphNode& node, const std::vector<PortSpec>& ports, int port) {
    if (port == 0 && ports.size() == 1) return shown(node.id);
    return fmt::format("{}.{}", shown(node.id), ports[port].name);
}

std::string cable_text(const Graph& graph, const GraphLink& link) {
    const GraphNode& from = graph.nodes[link.from];
    const GraphNode& to = graph.nodes[link.to];
    return fmt::format("{} -> {}", port_text(from, from.type->outputs, link.from_port),
                       port_text(to, to.type->inputs, link.to_port));
}

void resolve_links(Draft& draft) {
    Links(draft).resolve();
}

}  // namespace gainstage
