#include "nodes/layers/mlp.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nodes/layers/model_config.hpp"

namespace gainstage {

namespace {
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}

Mlp::Mlp(LayerReader& read, std::string_view prefix, int inputs, Activation activation)
    : activation_(activation), outputs_(inputs), widest_(inputs) {
    do {
        const std::string name = fmt::format("{}.{}", prefix, layers_.size());
        if (layers() == max_layers)
            refuse(read.model(), "{}: more than {} layers are not supported", prefix, max_layers);
        const Tensor& weight = read.tensor(name + ".weight", {any_size, outputs_}, max_width);
        const int rows = rows_of(weight);
        const Tensor& bias = read.tensor(name + ".bias", {rows});
        layers_.push_back({Eigen::Map<const RowMajor>(weight.data.data(), rows, outputs_),
                           Eigen::Map<const Eigen::VectorXf>(bias.data.data(), rows)});
        outputs_ = rows;
        widest_ = std::max(widest_, outputs_);
    } while (read.has(fmt::format("{}.{}.weight", prefix, layers_.size())));
}

Mlp::Scratch Mlp::make_scratch() const {
    return {.here = Eigen::VectorXf::Zero(widest_), .next = Eigen::VectorXf::Zero(widest_)};
}

void Mlp::evaluate(const float* in, float* out, Scratch& scratch) const noexcept GAINSTAGE_REALTIME {
    scratch.here.head(layers_.front().weight.cols()) =
        Eigen::Map<const Eigen::VectorXf>(in, layers_.front().weight.cols());
    for (const Layer& layer : layers_) {
        auto next = scratch.next.head(layer.bias.size());
        // lazyProduct: plain loops, which never allocate
        next = layer.weight.lazyProduct(scratch.here.head(layer.weight.cols())) + layer.bias;
        if (&layer != &layers_.back()) {
            if (activation_ == Activation::tanh) {
                next = next.array().tanh();
            } else {
                // Eigen calls its own maximum through a pointer.
                GAINSTAGE_KNOWN_REALTIME(next = next.array().max(0.f));
            }
        }
        scratch.here.swap(scratch.next);
    }
    std::copy_n(scratch.here.data(), outputs_, out);
}

}  // namespace gainstage
