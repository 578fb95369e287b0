#include "nodes/models/recurrent/gru.hpp"

namespace gainstage {

const NodeType& Gru::type() {
    static const NodeType type{
        .name = "gru",
        .summary = "A learned effect: gated recurrent units",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .architecture = "gru",
        .make = make_node<Gru>,
        .notes = notes_on_recurrent<GruCell>,
        .operations = operations_of_recurrent<GruCell>,
    };
    return type;
}

}  // namespace gainstage
