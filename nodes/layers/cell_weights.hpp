#pragma once
/// The weights of a gated recurrent layer in PyTorch's layout, and their conversion to padded rows of gates.

#include <Eigen/Core>
#include <algorithm>
#include <span>
#include <vector>

#include "nodes/kernels/aligned.hpp"
#include "nodes/layers/dense.hpp"

namespace gainstage {

/// Views of the weights. Their data need only live while a cell is built. `gates`: rows of the matrices
/// divided by units.
struct CellWeights {
    int units = 0, inputs = 0;
    std::span<const float> weight_ih;         ///< (gates units, inputs), row-major
    std::span<const float> weight_hh;         ///< (gates units, units)
    std::span<const float> bias_ih, bias_hh;  ///< (gates units) each
    bool sample_apart = false;                ///< the first input is a sample, which the steps add themselves
};

/// Control thread. A weight matrix in which each gate begins at a whole vector of outputs,
/// [gate][padded(units)], as rows of gates lie in memory. A gate's numbers may be halved, because its sigmoid
/// is computed as sig(x) = (1 + tanh(x/2))/2. Halving is exact.
class GateRows {
public:
    GateRows(int units, int columns) : units_(units), columns_(columns) {}

    /// Appends the gate whose `units` rows in `weight` begin at `row`, times `factor`. An empty `weight`
    /// stands for zeros. `bias`: (units), or empty for zeros.
    void add(std::span<const float> weight, int row, const std::vector<float>& bias, float factor) {
        const int begin = static_cast<int>(bias_.size());
        bias_.resize(bias_.size() + padded(units_));
        weight_.resize(bias_.size() * columns_);
        for (int u = 0; u < units_; ++u) {
            if (!bias.empty()) bias_[begin + u] = factor * bias[u];
            for (int i = 0; i < columns_ && !weight.empty(); ++i)
                weight_[(begin + u) * columns_ + i] = factor * weight[(row + u) * columns_ + i];
        }
    }
    /// Columns `first` to `end` - 1, without the bias.
    AlignedFloats columns(int first, int end) const {
        using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        AlignedFloats some(bias_.size() * (end - first));
        Eigen::Map<Matrix>(some.data(), rows(), end - first) =
            Eigen::Map<const Matrix>(weight_.data(), rows(), columns_).middleCols(first, end - first);
        return some;
    }
    /// All but the first `without` columns.
    Dense dense(int without = 0) const {
        return {rows(), columns_ - without, columns(without, columns_), bias_};
    }

private:
    int rows() const { return static_cast<int>(bias_.size()); }

    int units_, columns_;
    std::vector<float> weight_, bias_;
};

/// The sum of both biases of the gate whose rows begin at `row`.
inline std::vector<float> sum_of_biases(const CellWeights& w, int row) {
    std::vector<float> sum(w.units);
    for (int u = 0; u < w.units; ++u) sum[u] = w.bias_ih[row + u] + w.bias_hh[row + u];
    return sum;
}

}  // namespace gainstage
