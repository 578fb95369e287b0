#pragma once
/// The matrix product of all dense layers, 1x1 convolutions and convolution taps of the models.

#include <span>

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/rows.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

struct Product;  // product.hpp
struct ProductKernels;

/// y = W x + b for rows of frames, at any size. Immutable once built; any number of threads and channels.
/// Fastest if rows begin at cache lines (AlignedFloats).
class Dense {
public:
    Dense() = default;
    /// Control thread. `weight`: (outputs, inputs), row-major as in PyTorch; `bias`: (outputs), or empty for
    /// none. REQUIRES: the sizes fit. Throws SimdError.
    Dense(int outputs, int inputs, std::span<const float> weight, std::span<const float> bias = {});

    /// Control thread. This layer and the layer `next` after it as one layer, next(this(x)), computed in
    /// double. REQUIRES: next has as many inputs as this has outputs.
    Dense then(const Dense& next) const;
    /// True if the layer from then() is less work than the two one after the other.
    bool pays_to_join(const Dense& next) const noexcept;

    int inputs() const noexcept { return inputs_; }
    int outputs() const noexcept { return outputs_; }
    /// [input][padded(outputs)], for kernels that read it directly.
    const float* weight() const noexcept { return weight_.data(); }

    /// Audio thread. out[k][0 .. padded(outputs)) = W in[k][0 .. inputs) + b for each of `frames` rows, which
    /// are `in_stride` and `out_stride` floats apart. `in` and `out` don't overlap.
    void run(const float* in, int in_stride, float* out, int out_stride,
             int frames) const noexcept GAINSTAGE_REALTIME;
    /// The same added to `out`: W in + b + out; the sum begins with b + out.
    void add(const float* in, int in_stride, float* out, int out_stride,
             int frames) const noexcept GAINSTAGE_REALTIME;
    /// PReLU of run(): sums below 0 are multiplied by `slope`, [padded(outputs)].
    void run_prelu(const float* in, int in_stride, const float* slope, float* out, int out_stride,
                   int frames) const noexcept GAINSTAGE_REALTIME;

private:
    Product product(float* out, int out_stride, int frames) const noexcept;

    int inputs_ = 0, outputs_ = 0;
    const ProductKernels* kernels_ = nullptr;  ///< for the SIMD level in use
    AlignedFloats weight_;                     ///< [input][padded(outputs)]
    AlignedFloats bias_;                       ///< [padded(outputs)]
};

}  // namespace gainstage
