#pragma once
/// What an "lstm" or "gru" file holds, ready to run.

#include <cstdint>
#include <string>
#include <vector>

#include "nodes/layers/cell_weights.hpp"

namespace gainstage {

class LayerReader;
class Model;

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
    static constexpr double longest_memory_seconds = 10.;

    /// Control thread. Throws ModelError (what the file lacks), SetupError (another sample rate).
    RecurrentWeights(const Model&, int gates, double sample_rate_hz);

    struct ToModel {
        float scale, offset;
    };
    std::vector<ToModel> controls;    ///< what the network hears at a knob's value
    std::vector<CellWeights> layers;  ///< views of the model's tensors
    std::vector<float> output;        ///< [padded(units)]
    float output_bias = 0.f;
    bool final_tanh = false, skip = false;
    std::int64_t memory_samples = 0;
    std::vector<std::string> tensors;  ///< names of those read

    /// Floating-point operations per sample, as NodeType::operations counts them.
    double operations() const noexcept;

private:
    void read_layer(LayerReader&, const std::string& prefix, int gates);
};

}  // namespace gainstage
