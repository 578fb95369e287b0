#pragma once
/// Small recurrent cells as their kernels see them; recurrence.hpp says what they compute.

#include <span>

namespace gainstage {

/// Units are padded to 4, 8, 16 or 32 with weights of 0, whose h stays 0. Of a GRU what r and z are made of
/// is halved: sig(x) = (1 + tanh(x / 2)) / 2.
struct SmallCell {
    int units = 0;  ///< padded
    bool gru = false;
    const float* input = nullptr;   ///< [gate][unit]
    const float* bias = nullptr;    ///< [gate][unit], of h's part and the input's; a GRU's n has them apart:
                                    ///< its input's, then h's
    const float* hidden = nullptr;  ///< [unit of h][gate][unit]
    const float* out = nullptr;     ///< [unit]
    float out_bias = 0.f;
};

struct SmallSequence {
    float* state = nullptr;  ///< [unit]: h, goes on
    const float* in = nullptr;
    float* out = nullptr;  ///< may be `in`
};

struct SmallCellKernels {
    /// Two sequences go side by side, for each step of one waits for the step before.
    using Run = void (*)(const SmallCell&, std::span<const SmallSequence>, int frames) noexcept;
    Run elman[4], gru[4];  ///< of 4, 8, 16 and 32 units
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const SmallCellKernels& small_cell_kernels();

}  // namespace gainstage
