#include "nodes/models/recurrent/lstm.hpp"

namespace gainstage {

const NodeType& Lstm::type() {
    static const NodeType type{
        .name = "lstm",
        .summary = "A learned effect: long short-term memory",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .architecture = "lstm",
        .make = make_node<Lstm>,
        .notes = notes_on_recurrent<LstmCell>,
        .operations = operations_of_recurrent<LstmCell>,
    };
    return type;
}

}  // namespace gainstage
