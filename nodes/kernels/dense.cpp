#include "nodes/kernels/dense.hpp"

#include <algorithm>
#include <vector>

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
        for (int i = 0; i < inputs; ++i)
            weight_[static_cast<std::size_t>(i * padded(outputs) + o)] =
                weight[static_cast<std::size_t>(o * inputs + i)];
}

Dense Dense::then(const Dense& next) const {
    const auto columns = static_cast<std::size_t>(padded(next.outputs_));
    const auto joined = [&](const float* from, const float* begin, float* to) {
        std::vector<double> sums(begin, begin + columns);
        for (int i = 0; i < outputs_; ++i)
            for (std::size_t o = 0; o < columns; ++o)
                sums[o] += double{from[i]} * double{next.weight_[static_cast<std::size_t>(i) * columns + o]};
        std::transform(sums.begin(), sums.end(), to, [](double sum) { return static_cast<float>(sum); });
    };
    Dense both(next.outputs_, inputs_, std::vector<float>(static_cast<std::size_t>(inputs_ * next.outputs_)));
    const std::vector<float> nothing(columns);
    for (int i = 0; i < inputs_; ++i)
        joined(weight_.data() + i * padded(outputs_), nothing.data(),
               both.weight_.data() + static_cast<std::size_t>(i) * columns);
    joined(bias_.data(), next.bias_.data(), both.bias_.data());
    return both;
}

bool Dense::pays_to_join(const Dense& next) const noexcept {
    return inputs_ * padded(next.outputs_) <= inputs_ * padded(outputs_) + outputs_ * padded(next.outputs_);
}

/// All but where the rows are.
Product Dense::product(float* out, int out_stride, int frames) const noexcept {
    return {.weight = weight_.data(),
            .bias = bias_.data(),
            .out = out,
            .inputs = inputs_,
            .width = padded(outputs_),
            .out_stride = out_stride,
            .frames = frames};
}

void Dense::run(const float* in, int in_stride, float* out, int out_stride, int frames) const noexcept {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    kernels_->run(p);
}

void Dense::add(const float* in, int in_stride, float* out, int out_stride, int frames) const noexcept {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    kernels_->add(p);
}

void Dense::run_prelu(const float* in, int in_stride, const float* slope, float* out, int out_stride,
                      int frames) const noexcept {
    const std::ptrdiff_t stride = in_stride;
    Product p = product(out, out_stride, frames);
    p.in = &in;
    p.in_strides = &stride;
    kernels_->prelu(p, slope);
}

}  // namespace gainstage
