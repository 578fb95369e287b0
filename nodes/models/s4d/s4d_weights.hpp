#pragma once
/// The weights of an S4D file, prepared for one sample rate.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/layers/activations.hpp"
#include "nodes/layers/conditioning.hpp"
#include "nodes/layers/dense.hpp"
#include "nodes/layers/diagonal_ssm.hpp"
#include "runtime/prepared.hpp"

namespace gainstage {

/// Tensors of a file with `architecture` "s4d"; c channels, n modes, I = 0, 1, ...
///
///     conditioning.I.weight, .bias    from the controls to z numbers (layers/conditioning.hpp)
///     expand.weight (c, 1), .bias (c)
///     blocks.I.linear.weight (c, c), .bias (c)      optional
///     blocks.I.activation1.factor     (1) or (c): of PReLU or PTanh
///     blocks.I.ssm.log_dt             (c, 1) or (c, n): dt = exp, in samples of the training rate
///     blocks.I.ssm.log_a_real, .a_imag (c, n)       a = -exp(log_a_real) + i a_imag
///     blocks.I.ssm.b, .c              (c, n, 2): real, imaginary; without b: 1
///     blocks.I.ssm.d                  (c)
///     blocks.I.norm..., .film...      of what the modes say (layers/conditioning.hpp; epsilon 1e-5)
///     blocks.I.activation2.factor     likewise
///     blocks.I.residual               (c): optional, the block's input times this is added to its output
///     contract.weight (1, c), .bias (1)
///     tanh.factor                     (1): of "ptanh"
///
/// config.activation1, config.activation2 = a name of layers/activations.hpp ("PReLU");
/// config.discretisation = "zoh" | "bilinear"; config.front_decibels: the network hears
/// 20 log10 max(|x|, 1e-4); config.to_amplitude: its output is a level in dB;
/// config.tanh_before_product, config.final_tanh = "none" | "tanh" | "ptanh"; config.product: the output
/// times the input.
struct S4dWeights {
    /// Bounds on memory and work.
    static constexpr int most_channels = 256, most_blocks = 16;

    /// Control thread. Takes about a millisecond a block (DiagonalSsm::make). Throws ModelError if a tensor
    /// is missing or out of bounds.
    S4dWeights(const Model&, double sample_rate_hz);

    enum class Squash { none, tanh, ptanh };
    struct OneBlock {
        std::optional<Dense> linear;
        RowActivation before, after;
        std::unique_ptr<const DiagonalSsm> ssm;
        std::vector<float> residual;  ///< [padded(channels)]
    };

    PreparedFacts facts;
    int channels = 0;
    bool front_decibels = false;
    Dense expand, first;  ///< from the input to the first block's input, and to its linear layer's output
    std::vector<OneBlock> blocks;
    std::vector<float> contract;  ///< [padded(channels)]
    float contract_bias = 0.f;
    bool to_amplitude = false, product = false;
    Squash before_product = Squash::none, final = Squash::none;
    float tanh_factor = 1.f;

    /// The gains and offsets of the blocks.
    Conditioning conditioning;
};

}  // namespace gainstage
