#pragma once
/// The recurrence of a selective state-space layer, compiled once per SIMD level.

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// For each frame k and channel d of rows that are `row` floats apart (the padding is computed too):
///
///     h[n][d] = 2^(delta[k][d] decay[n][d]) h[n][d] + delta[k][d] in[k][d] B[k][n]
///     out[k][d] = skip[d] in[k][d] + sum_n h[n][d] C[k][n]
///
/// REQUIRES: `out` overlaps no other buffer; row is a multiple of vector_channels (rows.hpp).
struct SelectiveScan {
    const float *decay, *skip;  ///< [states][row], <= 0; [row]
    const float *in, *delta;    ///< [frames][row]; delta >= 0
    const float *b, *c;         ///< [frames][states], rows map_row floats apart
    float* hidden;              ///< [states][row], carried from call to call
    float* out;                 ///< [frames][row]
    int channels, states, row, map_row, frames;
};

/// Audio thread.
struct SelectiveScanKernels {
    using Function = void (*)(const SelectiveScan&) noexcept GAINSTAGE_REALTIME;
    Function run;
    Function run_forgetting;  ///< the same with h = 0 before every frame
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const SelectiveScanKernels& selective_scan_kernels();

}  // namespace gainstage
