#pragma once
/// From knobs to the gain and the offset of every channel of every block: FiLM, with normalisation folded in.

#include <optional>
#include <string>
#include <vector>

#include "nodes/layers/control_inputs.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "nodes/layers/mlp.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The controls -> a network, where the file has one -> one layer to all gains and offsets. Tensors:
///
///     [conditioning.M.weight, .bias]     M = 0, 1, ..., a ReLU after every layer; the outputs are z. If
///                                        absent, or without controls, z are the controls
///     [PREFIX.norm.mean, .norm.variance (c)]           (x - mean) / sqrt(variance + epsilon)
///     PREFIX.film.weight (2 c, z), .film.bias (2 c)    gains, then offsets, applied after the normalisation;
///                                        without controls the bias alone, or neither (gain 1, offset 0)
///
/// Immutable once built; any number of threads, each with a Scratch.
class Conditioning {
public:
    Conditioning() = default;
    /// Control thread. Reads the network. Throws ModelError.
    explicit Conditioning(LayerReader&);

    /// Control thread. Reads the next block. `bias` (channels) is added before the normalisation; null: none.
    /// Throws ModelError that names the tensor.
    void add_block(LayerReader&, const std::string& prefix, int channels, const Tensor* bias, double epsilon);
    /// Control thread. After the last block, before evaluate().
    void finish();

    int controls() const noexcept { return inputs_.size(); }
    /// Number of values that evaluate() writes: for each block padded(channels) gains and as many offsets.
    int values() const noexcept { return film_.outputs(); }

    /// For one caller of evaluate().
    struct Scratch {
        std::vector<float> heard, vector;
        Mlp::Scratch network;
    };
    /// Control thread.
    Scratch make_scratch() const;
    /// Audio thread. `knobs`: values of the controls, in their units.
    void evaluate(const float* knobs, float* values, Scratch&) const noexcept GAINSTAGE_REALTIME;

private:
    int width() const noexcept { return network_ ? network_->outputs() : inputs_.size(); }

    ControlInputs inputs_;
    std::optional<Mlp> network_;  ///< to be followed by ReLU
    Dense film_;
    std::vector<float> weight_, bias_;  ///< of film_, as it grows
};

}  // namespace gainstage
