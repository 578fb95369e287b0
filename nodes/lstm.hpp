#pragma once

#include "nodes/kernels/lstm_cell.hpp"
#include "nodes/recurrent.hpp"

namespace gainstage {

/// A network of long short-term memory: Recurrent with LstmCell.
class Lstm final : public Recurrent<LstmCell> {
public:
    static const NodeType& type();
    using Recurrent::Recurrent;
};

}  // namespace gainstage
