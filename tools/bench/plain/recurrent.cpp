#include <cmath>

#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

/// Layer 0 alone, with the knobs at 0.5.
class Recurrent : public Twin {
public:
    explicit Recurrent(const Model& model)
        : input_(matrix(model, "layers.0.weight_ih")),
          hidden_(matrix(model, "layers.0.weight_hh")),
          input_bias_(vector(model, "layers.0.bias_ih")),
          hidden_bias_(vector(model, "layers.0.bias_hh")),
          output_(vector(model, "output.weight")),
          output_bias_(vector(model, "output.bias")[0]),
          x_(Vector::Constant(input_.cols(), 0.5f)),
          h_(Vector::Zero(hidden_.cols())),
          tanh_(model.text("final_tanh", "none") == "tanh") {}

    void play(const float* in, float* out, int frames) override {
        for (int k = 0; k < frames; ++k) {
            x_[0] = in[k];
            step();
            const float y = output_.dot(h_) + output_bias_;
            out[k] = tanh_ ? std::tanh(y) : y;
        }
    }

protected:
    virtual void step() = 0;

    Matrix input_, hidden_;
    Vector input_bias_, hidden_bias_, output_;
    float output_bias_;
    Vector x_, h_;
    bool tanh_;
};

class Lstm final : public Recurrent {
public:
    explicit Lstm(const Model& model) : Recurrent(model), c_(Array::Zero(h_.size())) {}

private:
    void step() override {
        const auto n = h_.size();
        gates_.noalias() = hidden_ * h_;
        gates_.noalias() += input_ * x_;
        gates_ += input_bias_ + hidden_bias_;
        const auto gate = [&](int i) { return gates_.segment(i * n, n).array(); };
        c_ = gate(1).logistic() * c_ + gate(0).logistic() * gate(2).tanh();
        h_ = (gate(3).logistic() * c_.tanh()).matrix();
    }

    Vector gates_;
    Array c_;
};

class Gru final : public Recurrent {
public:
    using Recurrent::Recurrent;

private:
    void step() override {
        const auto n = h_.size();
        ours_.noalias() = hidden_ * h_;
        ours_ += hidden_bias_;
        theirs_.noalias() = input_ * x_;
        theirs_ += input_bias_;
        const Array reset = (ours_.head(n) + theirs_.head(n)).array().logistic();
        const Array keep = (ours_.segment(n, n) + theirs_.segment(n, n)).array().logistic();
        const Array fresh = (theirs_.tail(n).array() + reset * ours_.tail(n).array()).tanh();
        h_ = (fresh + keep * (h_.array() - fresh)).matrix();
    }

    Vector ours_, theirs_;
};

}  // namespace

std::unique_ptr<Twin> make_lstm(const Model& model) {
    return std::make_unique<Lstm>(model);
}
std::unique_ptr<Twin> make_gru(const Model& model) {
    return std::make_unique<Gru>(model);
}

}  // namespace gainstage::plain
