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
///     [conditioning.M.weight, .bias]     M = 0, 1, ..., a ReLU after every layer; outputs z. Absent: z are
///     the
///                                        controls themselves
///     PREFIX.norm.mean, .variance (c)    optional: (x - mean) / sqrt(variance + epsilon)
///     PREFIX.film.weight (2 c, z), .film.bias (2 c)    gains, then offsets, of what is normalised; without
///                                        controls the bias alone, or neither (gain 1, offset 0)
///
/// Immutable once built; any number of threads, each with a Scratch.
class Conditioning {
public:
    Conditioning() = default;
    /// Control thread. Reads the network. Throws ModelError.
    explicit Conditioning(LayerReader&);

    /// Control thread. Reads one more block, of `channels`; `bias` (channels), or null: what its channels
    /// still lack before they are normalised. Throws ModelError that names the tensor.
    void add_block(LayerReader&, const std::string& prefix, int channels, const Tensor* bias, double epsilon);
    /// Control thread. After the last block, before evaluate().
    void finish();

    int controls() const noexcept { return inputs_.size(); }
    /// What evaluate() writes: for each block padded(channels) gains and as many offsets.
    int values() const noexcept { return film_.outputs(); }

    /// Of one who evaluates.
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
