#pragma once
/// The register-tiled product under dense layers and convolutions, compiled once per SIMD level.

#include <cstddef>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// out[f][o] = bias[o] + sum over taps t and inputs i of weight[t][i][o] in[t][f][i], summed in the order of
/// t and then i, whatever the number of frames. Rows of `out` are `out_stride` floats apart.
struct Product {
    const float* const* in = nullptr;            ///< [tap]: row of the first frame
    const std::ptrdiff_t* in_strides = nullptr;  ///< [tap]: floats from row to row
    const float* weight = nullptr;               ///< [tap][input][width]
    const float* bias = nullptr;                 ///< [width]
    float* out = nullptr;
    int taps = 1, inputs = 0, width = 0;  ///< width: outputs, padded
    std::ptrdiff_t out_stride = 0;
    int frames = 0;
    bool goes_on = false;  ///< not for prelu: sums begin with bias + out, else with bias
};

/// Turns the sum s of an output into prelu(gain s + offset) + skip_gain skip.
struct AffinePrelu {
    /// Straight lines over the frames: the gain of frame f is gain + gain_slope (position + f). [width] each.
    const float *gain = nullptr, *gain_slope = nullptr, *offset = nullptr, *offset_slope = nullptr;
    float position = 0.f;
    bool glides = true;            ///< false: gain_slope and offset_slope are 0
    const float* slope = nullptr;  ///< [width]: of the PReLU, below 0
    /// Row of the first frame, floats from row to row, and gains [width]. Null: nothing is added.
    const float* skip = nullptr;
    std::ptrdiff_t skip_stride = 0;
    const float* skip_gain = nullptr;
};

struct ProductKernels {
    void (*run)(const Product&) noexcept GAINSTAGE_REALTIME;
    void (*prelu)(const Product&, const float* slope) noexcept GAINSTAGE_REALTIME;
    void (*affine_prelu)(const Product&, const AffinePrelu&) noexcept GAINSTAGE_REALTIME;
    /// out[f] = bias + sum of rows[f][i] weight[i]; rows of `width` floats (a multiple of 16) side by side.
    void (*dot)(const float* rows, const float* weight, float bias, int width, float* out,
                int frames) noexcept GAINSTAGE_REALTIME;
};

/// For the SIMD level in use. Control thread; keep the reference. Throws SimdError.
const ProductKernels& product_kernels();

}  // namespace gainstage
