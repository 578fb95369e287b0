#include "nodes/kernels/recurrence.hpp"

#include <fmt/format.h>

#include <Eigen/Core>

#include "runtime/model/model.hpp"

namespace gainstage {

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// As in the file.
struct Weights {
    RowMajor input, hidden;
    Eigen::VectorXf input_bias, hidden_bias, out;
    float out_bias = 0.f;
};

template <int Size>
using Vector = Eigen::Array<float, Size, 1>;

/// Columns of `matrix` times the elements of `h`, added to `sum`: units lie along the lanes, and every sum
/// has one order.
template <int Rows, int Units>
void add_product(Vector<Rows>& sum, const Eigen::Array<float, Rows, Units>& matrix, const Vector<Units>& h) {
    for (int j = 0; j < Units; ++j) sum += matrix.col(j) * h[j];
}

/// Units are padded to a size known when compiling; the padding's weights are 0 and its hidden values stay 0.
template <int Units>
class Elman final : public Recurrence {
public:
    explicit Elman(const Weights& w) {
        const auto n = w.out.size();
        input_.head(n) = w.input.col(0).array();
        bias_.head(n) = (w.input_bias + w.hidden_bias).array();
        hidden_.topLeftCorner(n, n) = w.hidden.array();
        out_.head(n) = w.out.array();
        out_bias_ = w.out_bias;
    }

    void run(State& state, const float* in, float* out, int frames) const noexcept override {
        Vector<Units> h = Eigen::Map<const Vector<Units>, Eigen::Aligned64>(state.hidden.data());
        for (int k = 0; k < frames; ++k) {
            Vector<Units> sum = bias_ + input_ * in[k];
            add_product<Units, Units>(sum, hidden_, h);
            h = sum.tanh();
            out[k] = (out_ * h).sum() + out_bias_;
        }
        Eigen::Map<Vector<Units>, Eigen::Aligned64>(state.hidden.data()) = h;
    }

private:
    Vector<Units> input_ = Vector<Units>::Zero(), bias_ = input_, out_ = input_;
    Eigen::Array<float, Units, Units> hidden_ = Eigen::Array<float, Units, Units>::Zero();
    float out_bias_ = 0.f;
};

/// sig(x) = (1 + tanh(x / 2)) / 2: both gates take the halving into their weights, so that one vector tanh
/// serves them.
template <int Units>
class Gru final : public Recurrence {
    using Gates = Vector<2 * Units>;

public:
    explicit Gru(const Weights& w) {
        const auto n = w.out.size();
        for (int gate = 0; gate < 2; ++gate) {
            const auto rows = gate * n;
            gate_input_.segment(gate * Units, n) = 0.5f * w.input.col(0).segment(rows, n).array();
            gate_bias_.segment(gate * Units, n) =
                0.5f * (w.input_bias.segment(rows, n) + w.hidden_bias.segment(rows, n)).array();
            gate_hidden_.block(gate * Units, 0, n, n) = 0.5f * w.hidden.middleRows(rows, n).array();
        }
        new_input_.head(n) = w.input.col(0).tail(n).array();
        new_input_bias_.head(n) = w.input_bias.tail(n).array();
        new_hidden_bias_.head(n) = w.hidden_bias.tail(n).array();
        new_hidden_.topLeftCorner(n, n) = w.hidden.bottomRows(n).array();
        out_.head(n) = w.out.array();
        out_bias_ = w.out_bias;
    }

    void run(State& state, const float* in, float* out, int frames) const noexcept override {
        Vector<Units> h = Eigen::Map<const Vector<Units>, Eigen::Aligned64>(state.hidden.data());
        for (int k = 0; k < frames; ++k) {
            Gates sum = gate_bias_ + gate_input_ * in[k];
            add_product<2 * Units, Units>(sum, gate_hidden_, h);
            Vector<Units> candidate = new_hidden_bias_;
            add_product<Units, Units>(candidate, new_hidden_, h);
            const Gates gates = 0.5f + 0.5f * sum.tanh();
            const Vector<Units> reset = gates.template head<Units>(), keep = gates.template tail<Units>();
            candidate = (new_input_bias_ + new_input_ * in[k] + reset * candidate).tanh();
            h = candidate + keep * (h - candidate);
            out[k] = (out_ * h).sum() + out_bias_;
        }
        Eigen::Map<Vector<Units>, Eigen::Aligned64>(state.hidden.data()) = h;
    }

private:
    Gates gate_input_ = Gates::Zero(), gate_bias_ = gate_input_;
    Eigen::Array<float, 2 * Units, Units> gate_hidden_ = Eigen::Array<float, 2 * Units, Units>::Zero();
    Vector<Units> new_input_ = Vector<Units>::Zero(), new_input_bias_ = new_input_,
                  new_hidden_bias_ = new_input_, out_ = new_input_;
    Eigen::Array<float, Units, Units> new_hidden_ = Eigen::Array<float, Units, Units>::Zero();
    float out_bias_ = 0.f;
};

template <template <int> class Cell>
std::unique_ptr<Recurrence> make_cell(const Weights& weights) {
    const auto units = weights.out.size();
    if (units <= 4) return std::make_unique<Cell<4>>(weights);
    if (units <= 8) return std::make_unique<Cell<8>>(weights);
    if (units <= 16) return std::make_unique<Cell<16>>(weights);
    return std::make_unique<Cell<32>>(weights);
}

}  // namespace

std::unique_ptr<const Recurrence> read_recurrence(const Model& model, std::string_view prefix) {
    std::vector<std::string> names;
    const auto read = [&](std::string_view name, std::initializer_list<std::int64_t> shape) -> auto& {
        names.push_back(fmt::format("{}.{}", prefix, name));
        return model.tensor(names.back(), shape);
    };
    const Tensor& hidden = read("weight_hh", {-1, -1});
    const std::int64_t rows = hidden.shape[0], units = hidden.shape[1];
    if (units < 1 || units > Recurrence::max_units || (rows != units && rows != 3 * units))
        throw ModelError(
            fmt::format("{}: tensor \"{}\" has shape ({}, {}); expected (units, units) for an Elman cell or "
                        "(3 units, units) for a GRU, of 1 to {} units",
                        model.file, hidden.name, rows, units, Recurrence::max_units));
    const auto vector = [](const Tensor& tensor) {
        return Eigen::VectorXf(Eigen::Map<const Eigen::VectorXf>(
            tensor.data.data(), static_cast<Eigen::Index>(tensor.data.size())));
    };
    const Weights weights{
        .input = Eigen::Map<const RowMajor>(read("weight_ih", {rows, 1}).data.data(), rows, 1),
        .hidden = Eigen::Map<const RowMajor>(hidden.data.data(), rows, units),
        .input_bias = vector(read("bias_ih", {rows})),
        .hidden_bias = vector(read("bias_hh", {rows})),
        .out = vector(read("out.weight", {1, units})),
        .out_bias = read("out.bias", {1}).data[0]};
    const bool is_gru = rows == 3 * units;
    std::unique_ptr<Recurrence> cell = is_gru ? make_cell<Gru>(weights) : make_cell<Elman>(weights);
    cell->units = static_cast<int>(units);
    cell->gru = is_gru;
    cell->tensors = std::move(names);
    return cell;
}

}  // namespace gainstage
