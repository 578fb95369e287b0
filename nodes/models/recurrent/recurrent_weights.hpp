#pragma once
/// The weights of an "lstm" or "gru" file, prepared.

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/layers/cell_weights.hpp"
#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "lstm" (g = 4 gates in the order i, f, g, o) or "gru" (g = 3: r, z,
/// n); u units, the same in every layer:
///
///     layers.N.weight_ih (g u, i)       N = 0, 1, ...; i: of the first layer 1 + the number of controls, the
///                                       sample and then the controls; of the others u
///     layers.N.weight_hh (g u, u)
///     layers.N.bias_ih (g u), layers.N.bias_hh (g u)
///     output.weight (1, u), output.bias (1)
///
/// y = output(h) of the last layer; config.final_tanh = "none" | "tanh": y = tanh(output(h));
/// config.skip = 0 | 1: the input is added to y.
struct RecurrentWeights {
    /// Bounds on sizes.
    static constexpr int max_units = 512, max_layers = 8;

    PreparedFacts facts;
    ControlInputs controls;
    std::vector<float> output;  ///< [padded(units)]
    float output_bias = 0.f;
    bool final_tanh = false, skip = false;

protected:
    /// Control thread. `gates`: of the cell. Throws ModelError if a tensor is missing or out of bounds.
    RecurrentWeights(const Model&, int gates);

    std::vector<CellWeights> layers;  ///< views of the model's tensors

private:
    void read_layer(LayerReader&, const std::string& prefix, int gates);
    double count_operations() const noexcept;
};

/// The same, with the cells of its layers. `Cell`: layers/lstm_cell.hpp, gru_cell.hpp.
template <class Cell>
struct RecurrentCells : RecurrentWeights {
    /// Control thread. Throws ModelError if a tensor is missing or out of bounds.
    explicit RecurrentCells(const Model& model) : RecurrentWeights(model, Cell::gates) {
        for (const CellWeights& layer : layers) cells.emplace_back(layer);
        layers.clear();  // the model may go
    }

    std::vector<Cell> cells;  ///< one a layer
};

}  // namespace gainstage
