#include "nodes/layers/mlp.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/model/model.hpp"

namespace gainstage {

namespace {
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
}

Mlp::Mlp(const Model& model, std::string_view prefix, int inputs, Activation activation)
    : activation_(activation), outputs_(inputs) {
    int widest = inputs;
    do {
        const std::string name = fmt::format("{}.{}", prefix, layers_.size());
        if (layers() == max_layers)
            throw ModelError(
                fmt::format("{}: {}: more than {} layers are not supported", model.file, prefix, max_layers));
        const Tensor& weight = model.tensor(name + ".weight", std::array<std::int64_t, 2>{-1, outputs_});
        const std::int64_t rows = weight.shape[0];
        if (rows < 1 || rows > max_width)
            throw ModelError(fmt::format("{}: tensor \"{}.weight\" has {} outputs; expected 1 to {}",
                                         model.file, name, rows, max_width));
        const Tensor& bias = model.tensor(name + ".bias", std::array<std::int64_t, 1>{rows});
        layers_.push_back({Eigen::Map<const RowMajor>(weight.data.data(), rows, outputs_),
                           Eigen::Map<const Eigen::VectorXf>(bias.data.data(), rows)});
        tensors_.insert(tensors_.end(), {weight.name, bias.name});
        outputs_ = static_cast<int>(rows);
        widest = std::max(widest, outputs_);
    } while (model.find(fmt::format("{}.{}.weight", prefix, layers_.size())));
    here_.setZero(widest);
    next_.setZero(widest);
}

void Mlp::evaluate(const float* in, float* out) noexcept {
    here_.head(layers_.front().weight.cols()) =
        Eigen::Map<const Eigen::VectorXf>(in, layers_.front().weight.cols());
    for (const Layer& layer : layers_) {
        auto next = next_.head(layer.bias.size());
        // lazyProduct: plain loops, which never allocate
        next = layer.weight.lazyProduct(here_.head(layer.weight.cols())) + layer.bias;
        if (&layer != &layers_.back()) {
            if (activation_ == Activation::tanh)
                next = next.array().tanh();
            else
                next = next.array().max(0.f);
        }
        here_.swap(next_);
    }
    std::copy_n(here_.data(), outputs_, out);
}

}  // namespace gainstage
