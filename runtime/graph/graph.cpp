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

int channels_used(const Graph& graph, Door door) {
    int highest = 0;
    for (const GraphNode& node : graph.nodes)
        if (node.type->device == door)
            for (const int channel : node.options.get<std::vector<int>>("channels"))
                highest = std::max(highest, channel);
    return highest;
}

}  // namespace gainstage
