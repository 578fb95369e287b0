#pragma once
/// How rows of frames (dense.hpp: one frame a row, channels side by side) work on one another.

namespace gainstage {

/// rows[k] = gains[k] * rows[k] + offsets[k], channel by channel: feature-wise linear modulation.
inline void modulate(float* rows, int stride, const float* gains, const float* offsets, int film_stride,
                     int channels, int frames) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < channels; ++c) {
            float& x = rows[k * stride + c];
            x = gains[k * film_stride + c] * x + offsets[k * film_stride + c];
        }
}

/// out[k][c] = in[k][c] * g / (1 + |g|) with g = in[k][channels + c]: a gated linear unit with softsign.
inline void gate_softsign(const float* in, int in_stride, float* out, int out_stride, int channels,
                          int frames) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < channels; ++c) {
            const float gate = in[k * in_stride + channels + c];
            out[k * out_stride + c] = in[k * in_stride + c] * (gate / (1.f + (gate < 0.f ? -gate : gate)));
        }
}

}  // namespace gainstage
