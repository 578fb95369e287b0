#pragma once
/// The block matrix product that every dense layer, 1x1 convolution and convolution tap of the models is.

#include <span>

#include "nodes/kernels/aligned.hpp"
#include "nodes/kernels/rows.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

struct Product;  // product.hpp
struct ProductKernels;

/// y = W x + b for rows of frames, at any size. Immutable once built; any number of threads and channels.
/// Fastest where rows begin at cache lines (AlignedFloats).
class Dense {
public:
    Dense() = default;
    /// Control thread. `weight`: (outputs, inputs), row-major as PyTorch keeps it; `bias`: (outputs), or
    /// empty for none. REQUIRES: the sizes fit. Throws SimdError.
    Dense(int outputs, int inputs, std::span<const float> weight, std::span<const float> bias = {});

    /// Control thread. This layer and `next` behind it as one: next(this(x)), worked out in double. REQUIRES:
    /// next has as many inputs as this has outputs.
    Dense then(const Dense& next) const;
    /// Whether then() is less work than one after the other.
    bool pays_to_join(const Dense& next) const noexcept;

    int inputs() const noexcept { return inputs_; }
    int outputs() const noexcept { return outputs_; }
    /// [input][padded(outputs)], for kernels that take it from here.
    const float* weight() const noexcept { return weight_.data(); }

    /// Audio thread. out[k][0 .. padded(outputs)) = W in[k][0 .. inputs) + b for each of `frames` rows that
    /// lie `in_stride` and `out_stride` floats apart. `in` and `out` don't overlap.
    void run(const float* in, int in_stride, float* out, int out_stride,
             int frames) const noexcept GAINSTAGE_REALTIME;
    /// The same added to what is in `out` (W in + b + out, the sum begun with b + out).
    void add(const float* in, int in_stride, float* out, int out_stride,
             int frames) const noexcept GAINSTAGE_REALTIME;
    /// PReLU of run(): where a sum is below 0 it is multiplied by `slope`, of which there are
    /// padded(outputs).
    void run_prelu(const float* in, int in_stride, const float* slope, float* out, int out_stride,
                   int frames) const noexcept GAINSTAGE_REALTIME;

private:
    Product product(float* out, int out_stride, int frames) const noexcept;

    int inputs_ = 0, outputs_ = 0;
    const ProductKernels* kernels_ = nullptr;  ///< of the level in use
    AlignedFloats weight_;                     ///< [input][padded(outputs)]
    AlignedFloats bias_;                       ///< [padded(outputs)]
};

}  // namespace gainstage
