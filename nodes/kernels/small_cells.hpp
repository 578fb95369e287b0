#pragma once
/// Kernels of small recurrent cells; recurrence.hpp gives the formulas.

#include <span>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The weights of a cell. Its units are padded to 4, 8, 16 or 32 with weights of 0, so that the h of a
/// padding unit stays 0. Weights and biases of a GRU's r and z are halved:
/// sigmoid(x) = (1 + tanh(x / 2)) / 2.
struct SmallCell {
    int units = 0;  ///< padded
    bool gru = false;
    const float* input = nullptr;  ///< [gate][unit]
    const float* bias = nullptr;  ///< [gate][unit]: biases of h's part and the input's part, added; a GRU's n
                                  ///< has them apart: the input's, then h's
    const float* hidden = nullptr;  ///< [unit of h][gate][unit]
    const float* out = nullptr;     ///< [unit]
    float out_bias = 0.f;
};

struct SmallSequence {
    float* state = nullptr;  ///< [unit]: h, carried from call to call
    const float* in = nullptr;
    float* out = nullptr;  ///< may be `in`
};

struct SmallCellKernels {
    /// Sequences run two at a time, because each step of one waits for its previous step.
    using Run = void (*)(const SmallCell&, std::span<const SmallSequence>,
                         int frames) noexcept GAINSTAGE_REALTIME;
    Run elman[4], gru[4];  ///< of 4, 8, 16 and 32 units
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const SmallCellKernels& small_cell_kernels();

}  // namespace gainstage
