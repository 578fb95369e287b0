#include "runtime/graph/graph.hpp"

#include <algorithm>

namespace gainstage {

int GraphNode::param_index(std::string_view name) const {
    return params.index_of(name);
}

GraphNode& NodeList::edit(std::size_t n) {
    std::shared_ptr<GraphNode>& node = nodes_[n];
    if (node.use_count() > 1) node = std::make_shared<GraphNode>(*node);
    return *node;
}

void NodeList::resize(std::size_t count) {
    const std::size_t had = nodes_.size();
    nodes_.resize(count);
    for (std::size_t n = had; n < count; ++n) nodes_[n] = std::make_shared<GraphNode>();
}

int Graph::node_index(std::string_view id) const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].id == id) return static_cast<int>(i);
    return -1;
}

int Graph::scene_index(std::string_view wanted) const {
    for (std::size_t s = 0; s < scenes.size(); ++s)
        if (scenes[s].name == wanted) return static_cast<int>(s);
    return -1;
}

void begin_with(Graph& graph, int scene) {
    for (std::size_t n = 0; n < graph.nodes.size(); ++n)
        if (!graph.nodes[n].start.empty()) graph.nodes.edit(n).start.clear();
    graph.start_scene = scene;
    for (const SceneValue& set : graph.scenes[scene].values) {
        GraphNode& node = graph.nodes.edit(static_cast<std::size_t>(set.node));
        if (node.start.empty()) {
            node.start = node.values;
            for (const bool is_on : {node.bypass, node.mute}) node.start.push_back(is_on ? 1.f : 0.f);
        }
        node.start[set.param] = set.value;
    }
}

std::set<int> door_channels(const Graph& graph, Door door) {
    std::set<int> channels;
    for (const GraphNode& node : graph.nodes)
        if (node.type->device == door)
            for (const int channel : node.options.get<std::vector<int>>("channels")) channels.insert(channel);
    return channels;
}

int channels_used(const Graph& graph, Door door) {
    const std::set<int> channels = door_channels(graph, door);
    return channels.empty() ? 0 : *channels.rbegin();
}

}  // namespace gainstage
