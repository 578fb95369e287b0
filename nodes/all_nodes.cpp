#include "nodes/all_nodes.hpp"

#include "nodes/compressor.hpp"
#include "nodes/filter.hpp"
#include "nodes/gain.hpp"
#include "nodes/gate.hpp"

namespace gainstage {

NodeTypes all_nodes() {
    static const std::vector<NodeType> types{
        Gain::type(),
        Filter::type(),
        Gate::type(),
        Compressor::type(),
    };
    return types;
}

}  // namespace gainstage
