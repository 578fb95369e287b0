#pragma once
/// The weights of a gated recurrent layer as PyTorch keeps them, and how they become padded rows of gates.

#include <algorithm>
#include <span>
#include <vector>

#include "nodes/kernels/dense.hpp"

namespace gainstage {

/// Views; what they look at need only live while a cell is built. `gates`: rows of the matrices over units.
struct CellWeights {
    int units = 0, inputs = 0;
    std::span<const float> weight_ih;         ///< (gates units, inputs), row-major
    std::span<const float> weight_hh;         ///< (gates units, units)
    std::span<const float> bias_ih, bias_hh;  ///< (gates units) each
};

/// Control thread. A weight matrix whose gates each begin at a whole vector of outputs, as rows of gates lie
/// in memory: [gate][padded(units)]. For the logistic function is read off tanh, sig(x) = (1 + tanh(x/2))/2,
/// a gate's numbers may be halved, which is exact.
class GateRows {
public:
    GateRows(int units, int columns) : units_(units), columns_(columns) {}

    /// Appends the gate whose `units` rows in `weight` begin at `row`; of an empty `weight`: zeros. `bias`:
    /// (units), or empty for zeros.
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
    Dense dense() const { return {static_cast<int>(bias_.size()), columns_, weight_, bias_}; }

private:
    int units_, columns_;
    std::vector<float> weight_, bias_;
};

/// Both biases of a gate whose rows begin at `row`, as one.
inline std::vector<float> sum_of_biases(const CellWeights& w, int row) {
    std::vector<float> sum(w.units);
    for (int u = 0; u < w.units; ++u) sum[u] = w.bias_ih[row + u] + w.bias_hh[row + u];
    return sum;
}

}  // namespace gainstage
