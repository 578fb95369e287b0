#pragma once
/// Small recurrent cells with one input and one output number a sample: Elman (tanh) and GRU, as PyTorch
/// defines them, with a linear output.

#include <array>
#include <memory>
#include <span>
#include <string>

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/small_cells.hpp"
#include "nodes/layers/layer_reader.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Shared weights; every channel keeps its own State.
///
///     Elman  h = tanh(Wi u + bi + Wh h + bh)
///     GRU    r = sig(Wir u + bir + Whr h + bhr),  z likewise,  n = tanh(Win u + bin + r (Whn h + bhn)),
///            h = (1 - z) n + z h                                        (rows in the order r, z, n)
///     out    o = w h + b
class Recurrence {
public:
    static constexpr int max_units = 32;

    struct State {
        alignas(64) std::array<float, max_units> hidden{};
    };

    struct Weights;  ///< as in the file
    /// Control thread. Throws SimdError.
    explicit Recurrence(const Weights&);

    /// Audio thread. The `state` of each sequence is the `hidden` of its State. Two sequences, such as the
    /// channels of stereo, run side by side: one works while the other waits. The result of a sequence never
    /// depends on the others.
    void run(std::span<const SmallSequence> sequences, int frames) const noexcept GAINSTAGE_REALTIME {
        run_(cell(), sequences, frames);
    }
    /// For kernels that run its steps together with others.
    SmallCell cell() const noexcept GAINSTAGE_REALTIME;

    const int units;
    const bool gru;  ///< else Elman

private:
    int padded_;
    AlignedFloats input_, bias_, hidden_, out_;
    float out_bias_ = 0.f;
    SmallCellKernels::Run run_ = nullptr;  ///< of the level in use
};

/// Control thread. Reads PREFIX.weight_ih (units or 3 units, 1), PREFIX.weight_hh (as many, units),
/// PREFIX.bias_ih, PREFIX.bias_hh, PREFIX.out.weight (1, units) and PREFIX.out.bias (1); a GRU where there
/// are three rows to a unit. Throws ModelError that names the tensor.
std::unique_ptr<const Recurrence> read_recurrence(LayerReader&, const std::string& prefix);

}  // namespace gainstage
