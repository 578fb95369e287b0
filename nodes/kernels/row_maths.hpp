#pragma once
/// How rows of frames (dense.hpp: one frame a row, channels side by side) work on one another, once per level
/// of instructions.

namespace gainstage {

/// Rows of the first frame, and floats from row to row. Channels are worked on up to a whole vector of 16:
/// what lies behind the last one is read and, of what is written, replaced by numbers that mean nothing, so
/// every buffer goes on for 16 floats after its last row.
struct RowMaths {
    /// rows = gains * rows + offsets, channel by channel: feature-wise linear modulation.
    void (*modulate)(float* rows, int stride, const float* gains, const float* offsets, int film_stride,
                     int channels, int frames) noexcept;
    /// out = in * g / (1 + |g|) with g = in[channels ..]: a gated linear unit with softsign.
    void (*gate_softsign)(const float* in, int in_stride, float* out, int out_stride, int channels,
                          int frames) noexcept;
    /// rows = rows * silu(gates)
    void (*gate_silu)(float* rows, int stride, const float* gates, int gate_stride, int channels,
                      int frames) noexcept;
    /// out[k] = silu(bias + sum over taps j of weight[j] in[k + j]), channel by channel; weight:
    /// [tap][width], bias: [width], width: channels up to whole vectors.
    void (*convolve_silu)(const float* in, int in_stride, const float* weight, const float* bias, int taps,
                          float* out, int out_stride, int channels, int frames) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const RowMaths& row_maths();

/// Floats that buffers of rows hold beyond their last row.
inline constexpr int row_margin = 16;

}  // namespace gainstage
