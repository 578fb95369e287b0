#include "nodes/layers/recurrence.hpp"

#include <Eigen/Core>

#include "nodes/layers/model_config.hpp"

namespace gainstage {

/// As in the file.
struct Recurrence::Weights {
    using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Matrix input, hidden;
    Eigen::VectorXf input_bias, hidden_bias, out;
    float out_bias = 0.f;
};

namespace {

/// The smallest size of the kernels that is large enough.
int padded_units(int units) {
    int size = 4;
    while (size < units) size *= 2;
    return size;
}

int kernel_of(int padded) {
    return padded == 4 ? 0 : padded == 8 ? 1 : padded == 16 ? 2 : 3;
}

}  // namespace

/// In the file the rows go gate by gate; here each gate begins at a whole vector.
Recurrence::Recurrence(const Weights& w)
    : units(static_cast<int>(w.out.size())),
      gru(w.hidden.rows() == 3 * w.hidden.cols()),
      padded_(padded_units(units)) {
    const int gates = gru ? 3 : 1;
    input_.resize(gates * padded_);
    bias_.resize((gates + 1) * padded_);
    hidden_.resize(padded_ * gates * padded_);
    out_.resize(padded_);
    out_bias_ = w.out_bias;
    for (int u = 0; u < units; ++u) {
        out_[u] = w.out[u];
        for (int g = 0; g < gates; ++g) {
            const int row = g * units + u, to = g * padded_ + u;
            const bool apart = gru && g == 2;
            const float factor = gru && !apart ? 0.5f : 1.f;
            input_[to] = factor * w.input(row, 0);
            bias_[to] = factor * (apart ? w.input_bias[row] : w.input_bias[row] + w.hidden_bias[row]);
            if (apart) bias_[to + padded_] = w.hidden_bias[row];
            for (int j = 0; j < units; ++j) hidden_[j * gates * padded_ + to] = factor * w.hidden(row, j);
        }
    }
    const SmallCellKernels& kernels = small_cell_kernels();
    run_ = (gru ? kernels.gru : kernels.elman)[kernel_of(padded_)];
}

SmallCell Recurrence::cell() const noexcept GAINSTAGE_REALTIME {
    return {.units = padded_,
            .gru = gru,
            .input = input_.data(),
            .bias = bias_.data(),
            .hidden = hidden_.data(),
            .out = out_.data(),
            .out_bias = out_bias_};
}

std::unique_ptr<const Recurrence> read_recurrence(LayerReader& read, const std::string& prefix) {
    constexpr int most_rows = 3 * Recurrence::max_units;
    const Tensor& hidden = read.tensor(prefix + ".weight_hh", {any_size, any_size}, most_rows);
    const int rows = rows_of(hidden), units = columns_of(hidden);
    if (units > Recurrence::max_units || (rows != units && rows != 3 * units))
        refuse(read.model(),
               "tensor \"{}\" has shape ({}, {}); expected (units, units) for an Elman cell or "
               "(3 units, units) for a GRU, of 1 to {} units",
               hidden.name, rows, units, Recurrence::max_units);
    using Matrix = Recurrence::Weights::Matrix;
    const auto matrix = [&](const char* name, int columns) {
        return Matrix(
            Eigen::Map<const Matrix>(read.tensor(prefix + name, {rows, columns}).data.data(), rows, columns));
    };
    const auto vector = [](const Tensor& tensor) {
        return Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(
            tensor.data.data(), static_cast<Eigen::Index>(tensor.data.size())));
    };
    const Recurrence::Weights weights{.input = matrix(".weight_ih", 1),
                                      .hidden = matrix(".weight_hh", units),
                                      .input_bias = vector(read.tensor(prefix + ".bias_ih", {rows})),
                                      .hidden_bias = vector(read.tensor(prefix + ".bias_hh", {rows})),
                                      .out = vector(read.tensor(prefix + ".out.weight", {1, units})),
                                      .out_bias = read.tensor(prefix + ".out.bias", {1}).data[0]};
    return std::make_unique<Recurrence>(weights);
}

}  // namespace gainstage
