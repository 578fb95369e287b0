#pragma once
/// Reads layers from a model file. Every size is checked before it is used, and the names of the tensors read
/// are kept.

#include <string>
#include <string_view>
#include <vector>

#include "nodes/layers/dense.hpp"
#include "runtime/model/model.hpp"

namespace gainstage {

/// A size that the tensors may choose, up to a bound.
inline constexpr int any_size = -1;

/// Control thread. Each call throws ModelError that names the tensor, what it is and what was expected.
class LayerReader {
public:
    explicit LayerReader(const Model& model) : model_(model) {}

    const Model& model() const noexcept { return model_; }
    /// Names of all tensors read.
    const std::vector<std::string>& used() const noexcept { return used_; }
    bool has(std::string_view name) const { return model_.find(name) != nullptr; }

    /// Of the given shape; entries of any_size may be 1 to `most`.
    const Tensor& tensor(const std::string& name, std::initializer_list<int> shape, int most = 0);
    /// PREFIX.weight (outputs, inputs) and PREFIX.bias (outputs); `outputs` or `inputs` may be any_size, 1 to
    /// `most`.
    Dense dense(const std::string& prefix, int outputs, int inputs, int most = 0);
    /// The same without a bias.
    Dense dense_without_bias(const std::string& prefix, int outputs, int inputs, int most = 0);

private:
    const Model& model_;
    std::vector<std::string> used_;
};

/// Rows or columns of a two-dimensional tensor that LayerReader::tensor has checked.
inline int rows_of(const Tensor& tensor) {
    return static_cast<int>(tensor.shape[0]);
}
inline int columns_of(const Tensor& tensor) {
    return static_cast<int>(tensor.shape[1]);
}

}  // namespace gainstage
