#include <algorithm>
#include <bit>

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

bool same_ends(const GraphLink& a, const GraphLink& b) {
    return a.from == b.from && a.from_port == b.from_port && a.to == b.to && a.to_port == b.to_port;
}

/// The cables so far by their ends: a hash table of indices into a list of links.
class CableIndex {
public:
    CableIndex(const std::vector<GraphLink>& links, std::size_t most)
        : links_(links), places_(std::bit_ceil(2 * most + 1), -1) {}

    /// The place of the cable with these ends: an index into the links, or -1, to be set to the next index.
    int& place_of(const GraphLink& link) {
        const std::size_t mask = places_.size() - 1;
        std::size_t at = hash(link) & mask;
        while (places_[at] >= 0 && !same_ends(links_[places_[at]], link)) at = (at + 1) & mask;
        return places_[at];
    }

private:
    static std::size_t hash(const GraphLink& link) {
        std::uint64_t mixed = 0;
        for (const int end : {link.from, link.from_port, link.to, link.to_port})
            mixed = (mixed ^ static_cast<std::uint64_t>(end)) * 0x9e3779b97f4a7c15u;
        return static_cast<std::size_t>(mixed >> 20);
    }

    const std::vector<GraphLink>& links_;
    std::vector<int> places_;  // at most half are taken
};

class Links {
public:
    explicit Links(Draft& draft)
        : draft_(draft),
          ends_(draft.graph.nodes.size()),
          cables_(draft.graph.links, draft.patch.links.size()) {
        std::size_t inputs = 0;
        for (std::size_t n = 0; n < ends_.size(); ++n) {
            ends_[n].first_input = inputs;
            if (const NodeType* type = draft.graph.nodes[n].type) inputs += type->inputs.size();
        }
        fed_.resize(inputs);
    }

    void resolve() {
        draft_.graph.links.reserve(draft_.patch.links.size());
        for (const PatchLink& link : draft_.patch.links) resolve_one(link);
        for (std::size_t node = 0; node < ends_.size(); ++node) check_cables_of(node);
        for (std::size_t node = 0; node < ends_.size(); ++node) check_ports_of(node);
    }

private:
    void resolve_one(const PatchLink& written) {
        const int from = find_node(written.from_node, written.place);
        const int to = find_node(written.to_node, written.to_place);
        const int from_port = from < 0 ? -1 : find_output(from, written);
        const int to_port = to < 0 ? -1 : find_input(to, written);
        if (from >= 0) ends_[from].heard = true;
        if (to >= 0 && to_port < 0) ends_[to].has_stray_cable = true;
        if (to_port >= 0) fed_[ends_[to].first_input + static_cast<std::size_t>(to_port)] = true;
        if (to_port >= 0 && written.to_port.empty()) ++ends_[to].without_port;
        if (to_port >= 0 && written.to_port.empty()) ends_[to].last_without_port = written.to_place;
        if (from_port >= 0 && to_port >= 0) add({from, from_port, to, to_port, written.place});
    }

    /// What is known of the cables at a node.
    struct Ends {
        std::size_t first_input = 0;   // index into fed_
        bool heard = false;            // a cable leaves, or was meant to
        bool has_stray_cable = false;  // a cable enters at a port that there isn't
        int without_port = 0;          // cables that name the node alone: they enter its first input
        Place last_without_port;
    };
    const GraphNode& graph_node(int node) const { return draft_.graph.nodes[node]; }

    int find_node(const std::string& id, Place place) {
        // In a chain a cable begins where the one before ended.
        if (latest_ >= 0 && graph_node(latest_).id == id) return latest_;
        if (const int found = draft_.node_by_id.find(id); found >= 0) return latest_ = found;
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
        std::vector<GraphLink>& links = draft_.graph.links;
        int& place = cables_.place_of(link);
        if (place >= 0)
            return complain(link.place,
                            fmt::format("the cable {} is there already (line {}); take one out",
                                        in_quotes(cable_text(draft_.graph, link)), links[place].place.line));
        place = static_cast<int>(links.size());
        links.push_back(link);
    }

    void check_cables_of(std::size_t index) {
        const GraphNode& node = draft_.graph.nodes[index];
        const Ends& ends = ends_[index];
        if (!node.type) return;
        for (std::size_t port = 0; port < node.type->inputs.size() && !ends.has_stray_cable; ++port)
            if (!fed_[ends.first_input + port] && !node.type->inputs[port].optional)
                draft_.problems.error(
                    node.place, key_of(node),
                    fmt::format("no cable enters its input {}; add \"... -> {}.{}\" to links",
                                in_quotes(node.type->inputs[port].name), shown(node.id),
                                node.type->inputs[port].name));
        if (!ends.heard && !node.type->outputs.empty())
            draft_.problems.note(node.place, key_of(node),
                                 fmt::format("no cable leaves it, so that nobody hears it; add \"{} -> ...\" "
                                             "to links",
                                             shown(node.id)));
    }

    /// A node whose first input is not "in" has several of one rank, as a mixer has. Cables that name the
    /// node alone all enter the first, which is hardly what several are meant to do.
    void check_ports_of(std::size_t index) {
        const GraphNode& node = draft_.graph.nodes[index];
        const Ends& ends = ends_[index];
        if (!node.type || ends.without_port < 2) return;
        const std::vector<PortSpec>& ports = node.type->inputs;
        if (ports.size() < 2 || ports.front().name == "in") return;
        const std::vector<std::string> names = free_ports(index, ends.without_port);
        const std::string guess =
            names.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(names, ", "));
        draft_.problems.note(
            ends.last_without_port, "links",
            fmt::format("{} cables enter {} without a port, so all of them enter its first "
                        "input, {}{}",
                        ends.without_port, in_quotes(node.id), in_quotes(ports.front().name), guess));
    }

    /// "mix.in1", "mix.in2": inputs for so many cables, numbered ones first choice.
    std::vector<std::string> free_ports(std::size_t index, int count) const {
        const GraphNode& node = draft_.graph.nodes[index];
        const std::vector<PortSpec>& ports = node.type->inputs;
        const auto is_numbered = [](const PortSpec& port) {
            return port.name.back() >= '0' && port.name.back() <= '9';
        };
        const bool has_numbers = std::any_of(ports.begin(), ports.end(), is_numbered);
        std::vector<std::string> names;
        for (std::size_t p = 0; p < ports.size() && static_cast<int>(names.size()) < count; ++p) {
            const bool is_free = p == 0 || !fed_[ends_[index].first_input + p];
            if (is_free && (!has_numbers || is_numbered(ports[p])))
                names.push_back(fmt::format("{}.{}", shown(node.id), ports[p].name));
        }
        return names;
    }

    void complain(Place place, std::string message) {
        draft_.problems.error(place, "links", std::move(message));
    }

    Draft& draft_;
    Names ids_;
    std::vector<Ends> ends_;  // per node
    std::vector<bool> fed_;   // per input port of every node: a cable enters, or was meant to
    CableIndex cables_;
    int latest_ = -1;  // node that was found
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
