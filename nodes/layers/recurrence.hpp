#pragma once
/// Small recurrent cells that read one number a sample and say one: Elman (tanh) and GRU, as PyTorch defines
/// them, with a linear output.

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

    /// Audio thread. Each sequence's `state` is the `hidden` of its State. Of two, such as the channels of
    /// stereo, one fills the time that the other waits; a sequence's numbers never depend on the company it
    /// comes in.
    void run(std::span<const SmallSequence> sequences, int frames) const noexcept GAINSTAGE_REALTIME {
        run_(cell(), sequences, frames);
    }
    /// For kernels that take its steps among others.
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
