#pragma once

#include "nodes/kernels/gru_cell.hpp"
#include "nodes/recurrent.hpp"

namespace gainstage {

/// A network of gated recurrent units: Recurrent with GruCell.
class Gru final : public Recurrent<GruCell> {
public:
    static const NodeType& type();
    using Recurrent::Recurrent;
};

}  // namespace gainstage
