#include <cmath>
#include <numbers>
#include <vector>

#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

struct Layer {
    Layer() = default;
    Layer(const Model& model, const std::string& prefix)
        : weight(matrix(model, prefix + ".weight")), bias(vector(model, prefix + ".bias")) {}
    Vector operator()(const Vector& x) const { return weight * x + bias; }

    Matrix weight;
    Vector bias;
};

/// A selective state-space layer, a frame at a time.
struct Ssm {
    Ssm() = default;
    Ssm(const Model& model, const std::string& prefix)
        : in(matrix(model, prefix + ".in.weight")),
          conv(matrix(model, prefix + ".conv.weight")),
          project(matrix(model, prefix + ".x.weight")),
          conv_bias(vector(model, prefix + ".conv.bias")),
          skip(vector(model, prefix + ".skip").array()),
          dt(model, prefix + ".dt"),
          out(model, prefix + ".out"),
          decay(-matrix(model, prefix + ".a_log").array().exp()),
          state(decay * 0.f),
          past(conv * 0.f) {}

    Vector tick(const Vector& x) {
        const auto inner = skip.size(), states = decay.cols(), rank = dt.weight.cols();
        const Vector gated = in * x;
        past.leftCols(past.cols() - 1) = past.rightCols(past.cols() - 1).eval();
        past.rightCols(1) = gated.head(inner);
        const Array sum = (past.cwiseProduct(conv).rowwise().sum() + conv_bias).array();
        const Array u = sum * sum.logistic();
        const Vector projected = project * u.matrix();
        const Array delta = dt(projected.head(rank)).array().exp().log1p();
        state = (decay.colwise() * delta).exp() * state +
                ((delta * u).matrix() * projected.segment(rank, states).transpose()).array();
        const Array s = (state.matrix() * projected.tail(states)).array() + skip * u;
        const Array gate = gated.tail(inner).array();
        return out((s * gate * gate.logistic()).matrix());
    }

    Matrix in, conv, project;
    Vector conv_bias;
    Array skip;
    Layer dt, out;
    Eigen::ArrayXXf decay, state;
    Matrix past;
};

class S6 final : public Twin {
public:
    explicit S6(const Model& model)
        : input_(model, "input"),
          ssm_{Ssm(model, "ssm.0"), Ssm()},
          mix_{Layer(model, "mix.0"), Layer()},
          film_(model, "film"),
          glu_{Layer(model, "film.glu"), Layer()},
          output_(model, "output"),
          window_(Vector::Zero(input_.weight.cols())) {
        if (model.find("features.weight")) {
            features_ = Layer(model, "features");
            const auto bins = features_.weight.cols(), points = 2 * bins - 1;
            cosines_.resize(bins, window_.size()), sines_ = cosines_;
            for (Eigen::Index f = 0; f < bins; ++f)
                for (Eigen::Index k = 0; k < window_.size(); ++k) {
                    const double angle = 2. * std::numbers::pi * static_cast<double>(f * k % points) /
                                         static_cast<double>(points);
                    cosines_(f, k) = static_cast<float>(std::cos(angle));
                    sines_(f, k) = static_cast<float>(std::sin(angle));
                }
        }
        if (!model.find("temporal.weight_hh")) return;
        ssm_[1] = Ssm(model, "ssm.1"), mix_[1] = Layer(model, "mix.1"),
        glu_[1] = Layer(model, "temporal.glu");
        cell_in_ = matrix(model, "temporal.weight_ih"), cell_hidden_ = matrix(model, "temporal.weight_hh");
        cell_in_bias_ = vector(model, "temporal.bias_ih");
        cell_hidden_bias_ = vector(model, "temporal.bias_hh");
        h_ = Vector::Zero(cell_hidden_.cols());
    }

    void play(const float* in, float* out, int frames) override {
        for (int k = 0; k < frames; ++k) {
            window_.head(window_.size() - 1) = window_.tail(window_.size() - 1).eval();
            window_[window_.size() - 1] = in[k];
            out[k] = in[k] * tick();
        }
    }

private:
    static Vector gelu(const Vector& x) {
        return x.unaryExpr([](float v) { return 0.5f * v * std::erfc(-v * 0.70710678f); });
    }
    static Vector glu(const Layer& layer, const Vector& x) {
        const Vector y = layer(x);
        const auto n = y.size() / 2;
        const Array gate = y.tail(n).array();
        return (y.head(n).array() * gate / (1.f + gate.abs())).matrix();
    }
    static Vector modulated(const Vector& by, const Vector& x) {
        return (by.head(x.size()).array() * x.array() + by.tail(x.size()).array()).matrix();
    }
    /// The input of a stage: its knobs at 0.5, then the features.
    static Vector heard(Eigen::Index inputs, const Vector& features) {
        Vector all = Vector::Constant(inputs, 0.5f);
        all.tail(features.size()) = features;
        return all;
    }

    float tick() {
        Vector features;
        if (features_.bias.size())
            features = features_(((cosines_ * window_).array().square() + (sines_ * window_).array().square())
                                     .sqrt()
                                     .matrix());
        Vector x = gelu(mix_[0](ssm_[0].tick(input_(window_))));
        x = glu(glu_[0], modulated(film_(heard(film_.weight.cols(), features)), x));
        if (h_.size()) {
            step(heard(cell_in_.cols(), features));
            x = glu(glu_[1], modulated(h_, x));
            x = gelu(mix_[1](ssm_[1].tick(x)));
        }
        return output_(x)[0];
    }
    void step(const Vector& in) {
        const auto n = h_.size();
        const Vector ours = cell_hidden_ * h_ + cell_hidden_bias_, theirs = cell_in_ * in + cell_in_bias_;
        const Array reset = (ours.head(n) + theirs.head(n)).array().logistic();
        const Array keep = (ours.segment(n, n) + theirs.segment(n, n)).array().logistic();
        const Array fresh = (theirs.tail(n).array() + reset * ours.tail(n).array()).tanh();
        h_ = (fresh + keep * (h_.array() - fresh)).matrix();
    }

    Layer input_;
    Ssm ssm_[2];
    Layer mix_[2], film_, glu_[2], output_, features_;
    Matrix cosines_, sines_;
    Matrix cell_in_, cell_hidden_;
    Vector cell_in_bias_, cell_hidden_bias_, h_, window_;
};

}  // namespace

std::unique_ptr<Twin> make_s6(const Model& model) {
    return std::make_unique<S6>(model);
}

}  // namespace gainstage::plain
