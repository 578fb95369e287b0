#include "nodes/models/recurrent/lstm.hpp"

#include "nodes/kernels/simd.hpp"
#include "nodes/layers/prepared_node.hpp"
#include "nodes/layers/start_option.hpp"

namespace gainstage {

const NodeType& Lstm::type() {
    static const NodeType type{
        .name = "lstm",
        .summary = "A learned effect: long short-term memory",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .options = {start_option()},
        .architecture = "lstm",
        .prepare = prepare_node<Lstm, Lstm::Weights>,
        .level = simd_level,
    };
    return type;
}

}  // namespace gainstage
