#pragma once
/// The register-tiled product under dense layers and convolutions, once per level of instructions.

#include <cstddef>

namespace gainstage {

/// out[f][o] = bias[o] + sum over taps t and inputs i of weight[t][i][o] in[t][f][i], summed in the order of
/// t and then i, whatever the number of frames. Rows lie `in_stride` and `out_stride` floats apart.
struct Product {
    const float* const* in = nullptr;  ///< [tap]: row of the first frame
    const float* weight = nullptr;     ///< [tap][input][width]
    const float* bias = nullptr;       ///< [width]
    float* out = nullptr;
    int taps = 1, inputs = 0, width = 0;  ///< width: outputs, padded
    std::ptrdiff_t in_stride = 0, out_stride = 0;
    int frames = 0;
};

/// What follows the sum s of an output before it is stored.
struct AffinePrelu {
    const float* gain = nullptr;    ///< [width]
    const float* offset = nullptr;  ///< [width]
    const float* slope = nullptr;   ///< [width]
    const float* skip = nullptr;    ///< row of the first frame, [width] floats, or one with skip_stride 1
    const float* skip_gain = nullptr;
    std::ptrdiff_t skip_stride = 0;
};

struct ProductKernels {
    void (*run)(const Product&) noexcept;
    void (*add)(const Product&) noexcept;  ///< the sum begins with bias + out
    void (*prelu)(const Product&, const float* slope) noexcept;
};

/// Of the level in use. Control thread; keep the reference. Throws SimdError.
const ProductKernels& product_kernels();

}  // namespace gainstage
