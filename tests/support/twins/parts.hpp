#pragma once
/// Parts of the twins of all families: tensors as matrices of doubles, layers, cells.

#include <Eigen/Core>
#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

#include "tests/support/double_twin.hpp"

namespace gainstage::test {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

/// Reads tensors as matrices; a vector is one column.
struct Reader {
    const Model& model;

    bool has(const std::string& name) const { return model.find(name) != nullptr; }
    const Tensor& tensor(const std::string& name) const {
        if (const Tensor* found = model.find(name)) return *found;
        throw std::logic_error("no tensor " + name);
    }
    Matrix matrix(const std::string& name) const {
        const Tensor& t = tensor(name);
        const auto rows = static_cast<Eigen::Index>(t.shape.at(0));
        const auto columns = static_cast<Eigen::Index>(t.data.size()) / rows;
        using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        return Eigen::Map<const RowMajor>(t.data.data(), rows, columns).cast<double>();
    }
    Vector vector(const std::string& name) const { return matrix(name).col(0); }
    /// The input that the network gets from the knobs at their defaults.
    Vector heard() const {
        Vector z(static_cast<Eigen::Index>(model.controls.size()));
        for (Eigen::Index i = 0; i < z.size(); ++i) {
            const ModelControl& knob = model.controls[i];
            z[i] = double{knob.start} * double{knob.scale} + double{knob.offset};
        }
        return z;
    }
    /// Layers PREFIX.0, PREFIX.1 ... with `squash` between them, and also after the last one if `after_last`.
    Vector network(const std::string& prefix, Vector z, double (*squash)(double), bool after_last) const {
        for (int i = 0; has(prefix + std::to_string(i) + ".weight"); ++i) {
            const std::string layer = prefix + std::to_string(i);
            z = matrix(layer + ".weight") * z + vector(layer + ".bias");
            if (after_last || has(prefix + std::to_string(i + 1) + ".weight")) z = z.unaryExpr(squash);
        }
        return z;
    }
};

inline double sigmoid(double x) {
    return 1. / (1. + std::exp(-x));
}
inline double relu(double x) {
    return std::max(x, 0.);
}
inline double hyperbolic(double x) {
    return std::tanh(x);
}
inline double gelu(double x) {
    return 0.5 * x * (1. + std::erf(x / std::numbers::sqrt2));
}
inline double silu(double x) {
    return x * sigmoid(x);
}

struct Layer {
    Matrix weight;
    Vector bias;
    Layer() = default;
    Layer(const Reader& read, const std::string& name)
        : weight(read.matrix(name + ".weight")), bias(read.vector(name + ".bias")) {}
    Vector operator()(const Vector& x) const { return weight * x + bias; }
};

inline Vector joined(const Vector& a, const Vector& b) {
    Vector both(a.size() + b.size());
    both << a, b;
    return both;
}

/// LSTM (4 gates: i, f, g, o) or GRU (3: r, z, n) or Elman (1), as PyTorch defines them.
struct Cell {
    Matrix input, hidden;
    Vector input_bias, hidden_bias, h, c;
    Cell(const Reader& read, const std::string& prefix)
        : input(read.matrix(prefix + "weight_ih")),
          hidden(read.matrix(prefix + "weight_hh")),
          input_bias(read.vector(prefix + (read.has(prefix + "bias") ? "bias" : "bias_ih"))),
          hidden_bias(read.has(prefix + "bias") ? Vector::Zero(hidden.rows()).eval()
                                                : read.vector(prefix + "bias_hh")),
          h(Vector::Zero(hidden.cols())),
          c(h) {}
    const Vector& step(const Vector& x) {
        const Eigen::Index n = hidden.cols();
        const Vector a = input * x + input_bias, b = hidden * h + hidden_bias, sum = a + b;
        if (hidden.rows() == 4 * n) {
            const Vector i = sum.segment(0, n).unaryExpr(&sigmoid), f = sum.segment(n, n).unaryExpr(&sigmoid);
            const Vector g = sum.segment(2 * n, n).unaryExpr(&hyperbolic);
            const Vector o = sum.segment(3 * n, n).unaryExpr(&sigmoid);
            c = f.cwiseProduct(c) + i.cwiseProduct(g);
            h = o.cwiseProduct(c.unaryExpr(&hyperbolic));
        } else if (hidden.rows() == 3 * n) {
            const Vector r = sum.segment(0, n).unaryExpr(&sigmoid), z = sum.segment(n, n).unaryExpr(&sigmoid);
            const Vector fresh = (a.tail(n) + r.cwiseProduct(b.tail(n))).unaryExpr(&hyperbolic);
            h = fresh + z.cwiseProduct(h - fresh);
        } else {
            h = sum.unaryExpr(&hyperbolic);
        }
        return h;
    }
};

// One twin for each family.
std::unique_ptr<DoubleTwin> recurrent_twin(const Reader&);
std::unique_ptr<DoubleTwin> grey_box_twin(const Reader&);
std::unique_ptr<DoubleTwin> s4d_twin(const Reader&);
std::unique_ptr<DoubleTwin> s6_twin(const Reader&);
std::unique_ptr<DoubleTwin> ed_lstm_twin(const Reader&);

}  // namespace gainstage::test
