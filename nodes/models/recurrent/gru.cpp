#include "nodes/models/recurrent/gru.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

const NodeType& Gru::type() {
    static const NodeType type{
        .name = "gru",
        .summary = "A learned effect: gated recurrent units",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "gru",
        .prepare = prepare_node<Gru, Gru::Weights>,
        .level = simd_level,
    };
    return type;
}

}  // namespace gainstage
