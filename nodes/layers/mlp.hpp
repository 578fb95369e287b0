#pragma once
/// A small conditioning network: dense layers with one activation between them.

#include <Eigen/Core>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/layers/layer_reader.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

enum class Activation { tanh, relu };

/// Layers "PREFIX.0.weight" (outputs, inputs), "PREFIX.0.bias" (outputs), "PREFIX.1.weight" ... of a model
/// file, as many as there are. The last layer is linear. Immutable once built; any number of threads, each
/// with a Scratch.
class Mlp {
public:
    /// Bounds on the work at one grid point.
    static constexpr int max_layers = 8, max_width = 256;

    Mlp() = default;
    /// Control thread. Throws ModelError that names the tensor: missing, of the wrong shape, too many, too
    /// wide.
    Mlp(LayerReader&, std::string_view prefix, int inputs, Activation);

    int outputs() const noexcept { return outputs_; }
    int layers() const noexcept { return static_cast<int>(layers_.size()); }

    /// For one caller of evaluate().
    struct Scratch {
        Eigen::VectorXf here, next;
    };
    /// Control thread.
    Scratch make_scratch() const;
    /// Audio thread. `in` has the constructor's `inputs` values; `out` takes outputs().
    void evaluate(const float* in, float* out, Scratch&) const noexcept GAINSTAGE_REALTIME;

private:
    struct Layer {
        Eigen::MatrixXf weight;
        Eigen::VectorXf bias;
    };
    std::vector<Layer> layers_;
    Activation activation_ = Activation::tanh;
    int outputs_ = 0;
    int widest_ = 0;  ///< most inputs or outputs of a layer
};

}  // namespace gainstage
