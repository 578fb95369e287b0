#pragma once

#include "nodes/layers/gru_cell.hpp"
#include "nodes/models/recurrent/recurrent.hpp"

namespace gainstage {

/// A network of gated recurrent units: Recurrent with GruCell.
class Gru final : public Recurrent<GruCell> {
public:
    static const NodeType& type();
    using Recurrent::Recurrent;
};

}  // namespace gainstage
