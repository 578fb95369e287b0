#pragma once
/// Elementwise maths over rows of frames (rows.hpp), compiled once per SIMD level.

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Each function takes the row of the first frame and the floats from row to row. It works on whole vectors
/// of up to 16 channels: it reads beyond the last channel, and writes meaningless numbers there. So every
/// buffer has row_margin more floats after its last row.
struct RowMaths {
    /// rows = gains * rows + offsets, channel by channel: feature-wise linear modulation.
    void (*modulate)(float* rows, int stride, const float* gains, const float* offsets, int film_stride,
                     int channels, int frames) noexcept GAINSTAGE_REALTIME;
    /// out = in * g / (1 + |g|) with g = in[channels ..]: a gated linear unit with softsign.
    void (*gate_softsign)(const float* in, int in_stride, float* out, int out_stride, int channels,
                          int frames) noexcept GAINSTAGE_REALTIME;
    /// rows = rows * silu(gates)
    void (*gate_silu)(float* rows, int stride, const float* gates, int gate_stride, int channels,
                      int frames) noexcept GAINSTAGE_REALTIME;
    /// out[k] = silu(bias + sum over taps j of weight[j] in[k + j]), channel by channel. weight:
    /// [tap][width], bias: [width], width: channels padded to a multiple of 16.
    void (*convolve_silu)(const float* in, int in_stride, const float* weight, const float* bias, int taps,
                          float* out, int out_stride, int channels, int frames) noexcept GAINSTAGE_REALTIME;
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const RowMaths& row_maths();

/// Floats that buffers of rows have after their last row.
inline constexpr int row_margin = 16;

}  // namespace gainstage
