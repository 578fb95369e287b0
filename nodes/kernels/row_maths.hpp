#pragma once
/// Elementwise maths over rows of frames (dense.hpp: one frame a row, channels side by side).

#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "nodes/kernels/dense.hpp"

namespace gainstage {

/// Four channels of a row. Fixed size, so that every element takes the same (packet) path.
using FourChannels = Eigen::Array<float, 4, 1>;

/// Channels rounded up to whole fours: what each_four touches of a row.
constexpr int fours_of(int channels) noexcept {
    return (channels + 3) / 4 * 4;
}

/// rows[k][c] = f(rows[k][c]) for `channels` (rounded up to fours) of each of `frames` rows.
template <class F>
inline void each_four(float* rows, int stride, int channels, int frames, F&& f) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < channels; c += 4) {
            Eigen::Map<FourChannels> x(rows + k * stride + c);
            x = f(FourChannels(x));
        }
}

/// x / (1 + exp(-x))
inline FourChannels silu(const FourChannels& x) noexcept {
    return x / (1.f + (-x).exp());
}
/// 1 / (1 + exp(-x))
inline FourChannels sigmoid(const FourChannels& x) noexcept {
    return 0.5f + 0.5f * (0.5f * x).tanh();
}
/// ln(1 + exp(x)), to full relative precision where it is small.
inline FourChannels softplus(const FourChannels& x) noexcept {
    return x.max(0.f) + (-x.abs()).exp().log1p();
}
/// The exact one (by erf; there is an approximation by tanh): x (1 + erf(x / sqrt 2)) / 2.
inline FourChannels gelu(const FourChannels& x) noexcept {
    const FourChannels scaled = x * 0.70710678118654752f;
    return 0.5f * x * (1.f + scaled.erf());
}

/// rows[k] = gains[k] * rows[k] + offsets[k], element by element: feature-wise linear modulation.
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
