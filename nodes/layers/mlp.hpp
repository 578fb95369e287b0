#pragma once
/// A small conditioning network: dense layers with one activation between them.

#include <Eigen/Core>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/nonblocking.hpp"

namespace gainstage {

class Model;

enum class Activation { tanh, relu };

/// Layers "PREFIX.0.weight" (outputs, inputs), "PREFIX.0.bias" (outputs), "PREFIX.1.weight" ... of a model
/// file, as many as there are. The last layer is linear.
class Mlp {
public:
    /// Bounds on the work at one grid point.
    static constexpr int max_layers = 8, max_width = 256;

    /// Control thread. Throws ModelError that names the tensor: missing, of the wrong shape, too many, too
    /// wide.
    Mlp(const Model&, std::string_view prefix, int inputs, Activation);

    int outputs() const noexcept { return outputs_; }
    int layers() const noexcept { return static_cast<int>(layers_.size()); }
    /// Names of the tensors read.
    const std::vector<std::string>& tensors() const noexcept { return tensors_; }

    /// Audio thread. `in` has the constructor's `inputs` values; `out` takes outputs().
    void evaluate(const float* in, float* out) noexcept GAINSTAGE_REALTIME;

private:
    struct Layer {
        Eigen::MatrixXf weight;
        Eigen::VectorXf bias;
    };
    // fixed after construction
    std::vector<Layer> layers_;
    std::vector<std::string> tensors_;
    Activation activation_;
    int outputs_;
    // scratch of evaluate()
    Eigen::VectorXf here_, next_;
};

}  // namespace gainstage
