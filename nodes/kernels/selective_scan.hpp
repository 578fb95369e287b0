#pragma once
/// The recurrence inside a selective state space layer, for every kind of processor (simd.hpp).

namespace gainstage {

/// For frames k and channels d of rows that lie `row` floats apart (padding takes part):
///
///     h[n][d] = 2^(delta[k][d] decay[n][d]) h[n][d] + delta[k][d] in[k][d] B[k][n]
///     out[k][d] = skip[d] in[k][d] + sum_n h[n][d] C[k][n]
///
/// REQUIRES: `out` overlaps nothing; row is a multiple of vector_channels (dense.hpp).
struct SelectiveScan {
    const float *decay, *skip;  ///< [states][row], <= 0; [row]
    const float *in, *delta;    ///< [frames][row]; delta >= 0
    const float *b, *c;         ///< [frames][states], rows map_row floats apart
    float* hidden;              ///< [states][row], goes on
    float* out;                 ///< [frames][row]
    int channels, states, row, map_row, frames;
};

/// Audio thread.
struct SelectiveScanKernels {
    using Function = void (*)(const SelectiveScan&) noexcept;
    Function run;
    Function run_forgetting;  ///< the same with h = 0 before every frame
};

/// Of the level in use. Control thread; keep the reference.
const SelectiveScanKernels& selective_scan_kernels();

}  // namespace gainstage
