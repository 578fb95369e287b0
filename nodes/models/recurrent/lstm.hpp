#pragma once

#include "nodes/layers/lstm_cell.hpp"
#include "nodes/models/recurrent/recurrent.hpp"

namespace gainstage {

/// A network of long short-term memory: Recurrent with LstmCell.
class Lstm final : public Recurrent<LstmCell> {
public:
    static const NodeType& type();
    using Recurrent::Recurrent;
};

}  // namespace gainstage
