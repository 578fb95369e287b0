#include "nodes/layers/dense.hpp"

#include <Eigen/Core>
#include <algorithm>

#include "nodes/kernels/product.hpp"

namespace gainstage {

Dense::Dense(int outputs, int inputs, std::span<const float> weight, std::span<const float> bias)
    : inputs_(inputs),
      outputs_(outputs),
      kernels_(&product_kernels()),
      weight_(static_cast<std::size_t>(inputs) * static_cast<std::size_t>(padded(outputs))),
      bias_(static_cast<std::size_t>(padded(outputs))) {
    std::copy(bias.begin(), bias.end(), bias_.begin());
    for (int o = 0; o < outputs; ++o)
        for (int i = 0; i < inputs; ++i) weight_[i * padded(outputs) + o] = weight[o * inputs + i];
}

Dense Dense::then(const Dense& next) const {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto of = [](const AlignedFloats& floats, int rows, int columns) {  // without the padding
        return Matrix(Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                          floats.data(), rows, padded(columns))
                          .leftCols(columns)
                          .cast<double>());
    };
    const Matrix behind = of(next.weight_, next.inputs_, next.outputs_);
    const Eigen::MatrixXf weight =
        (of(weight_, inputs_, outputs_) * behind).cast<float>();  // [input][output]
    const Eigen::RowVectorXf bias =
        (of(bias_, 1, outputs_) * behind + of(next.bias_, 1, next.outputs_)).cast<float>();
    return Dense(next.outputs_, inputs_, {weight.data(), static_cast<std::size_t>(weight.size())},
                 {bias.data(), static_cast<std::size_t>(bias.size())});
}

bool Dense::pays_to_join(const Dense& next) const noexcept {
    return inputs_ * padded(next.outputs_) <= inputs_ * padded(outputs_) + outputs_ * padded(next.outputs_);
}

/// The product without its input rows.
Product Dense::product(float* out, int out_stride, int frames) const noexcept {
    return {.weight = weight_.data(),
            .bias = bias_.data(),
            .out = out,
            .inputs = inputs_,
            .width = padded(outputs_),
            .out_stride = out_stride,
            .frames = frames};
}

void Dense::run(const float* in, int in_stride, float* out, int out_stride,
                int frames) const noexcept GAINSTAGE_REALTIME {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    kernels_->run(p);
}

void Dense::add(const float* in, int in_stride, float* out, int out_stride,
                int frames) const noexcept GAINSTAGE_REALTIME {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    p.goes_on = true;
    kernels_->run(p);
}

void Dense::run_prelu(const float* in, int in_stride, const float* slope, float* out, int out_stride,
                      int frames) const noexcept GAINSTAGE_REALTIME {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    kernels_->prelu(p, slope);
}

}  // namespace gainstage
