#include "nodes/all_nodes.hpp"

#include "nodes/filter.hpp"
#include "nodes/gain.hpp"

namespace gainstage {

NodeTypes all_nodes() {
    static const std::vector<NodeType> types{
        Gain::type(),
        Filter::type(),
    };
    return types;
}

}  // namespace gainstage
