#include "runtime/graph/graph.hpp"

namespace gainstage {

int GraphNode::param_index(std::string_view name) const {
    for (std::size_t i = 0; i < params.size(); ++i)
        if (params[i].name == name) return static_cast<int>(i);
    return -1;
}

int Graph::node_index(std::string_view id) const {
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (nodes[i].id == id) return static_cast<int>(i);
    return -1;
}

}  // namespace gainstage
