#include <map>

#include "runtime/resolve/draft.hpp"

namespace gainstage {

namespace {

bool is_way_out(const GraphNode& node) {
    return node.type && node.type->device == Door::out;
}

/// The device channels that a way out writes; none where its option was refused.
std::vector<int> channels_of(const GraphNode& node) {
    return node.options.has("channels") ? node.options.get<std::vector<int>>("channels") : std::vector<int>{};
}

Place place_of(const PatchNode& node, std::string_view key) {
    for (const Setting& setting : node.settings)
        if (setting.key == key) return setting.place;
    return node.place;
}

std::string second_writer(const Draft& draft, int channel, std::size_t first, std::size_t second) {
    if (first == second) return fmt::format("device channel {} is named twice", channel);
    return fmt::format(
        "device channel {} is already written by node {} (line {}); cables into one output "
        "add up, a channel has one node",
        channel, in_quotes(draft.patch.nodes[first].id), place_of(draft.patch.nodes[first], "channels").line);
}

/// A node with a misspelt type may be the way out.
bool every_type_is_known(const Graph& graph) {
    for (const GraphNode& node : graph.nodes)
        if (!node.type) return false;
    return true;
}

}  // namespace

void check_outputs(Draft& draft) {
    std::map<int, std::size_t> writers;  // by device channel
    bool is_heard = false;
    for (std::size_t i = 0; i < draft.graph.nodes.size(); ++i) {
        const GraphNode& node = draft.graph.nodes[i];
        if (!is_way_out(node)) continue;
        is_heard = true;
        for (const int channel : channels_of(node)) {
            const auto [writer, is_new] = writers.emplace(channel, i);
            if (!is_new)
                draft.problems.error(place_of(draft.patch.nodes[i], "channels"), key_of(node, "channels"),
                                     second_writer(draft, channel, writer->second, i));
        }
    }
    if (!is_heard && every_type_is_known(draft.graph))
        draft.problems.error({}, "nodes",
                             "no node of type \"output\", so that nothing would be heard; add "
                             "one: [nodes.out] type = \"output\" channels = [1, 2]");
}

}  // namespace gainstage
