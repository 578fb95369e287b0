#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

/// Plays a window at a time, with the knobs at 0.5.
class EdLstm final : public Twin {
public:
    explicit EdLstm(const Model& model)
        : encoder_h_(matrix(model, "encoder.h.weight")),
          encoder_c_(matrix(model, "encoder.c.weight")),
          begin_h_(begin(model, "h")),
          begin_c_(begin(model, "c")),
          input_(vector(model, "lstm.weight_ih")),
          hidden_(matrix(model, "lstm.weight_hh")),
          bias_(vector(model, "lstm.bias")),
          dense_(matrix(model, "dense.weight")),
          output_(matrix(model, "output.weight")),
          dense_bias_(vector(model, "dense.bias")),
          output_bias_(vector(model, "output.bias")),
          before_(Vector::Zero(encoder_h_.cols())),
          now_(before_),
          said_(before_) {}

    void play(const float* in, float* out, int frames) override {
        for (int k = 0; k < frames; ++k) {
            out[k] = said_[at_];
            now_[at_] = in[k];
            if (++at_ < now_.size()) continue;
            at_ = 0;
            window();
            before_.swap(now_);
        }
    }

private:
    static Vector begin(const Model& model, const std::string& name) {
        const Matrix knobs = matrix(model, "condition." + name + ".weight");
        return vector(model, "encoder." + name + ".bias") + vector(model, "condition." + name + ".bias") +
               knobs * Vector::Constant(knobs.cols(), 0.5f);
    }

    void window() {
        const auto n = begin_h_.size();
        h_ = encoder_h_ * before_ + begin_h_;
        c_ = (encoder_c_ * before_ + begin_c_).array();
        for (Eigen::Index k = 0; k < now_.size(); ++k) {
            gates_.noalias() = hidden_ * h_;
            gates_ += bias_ + input_ * now_[k];
            const auto gate = [&](int i) { return gates_.segment(i * n, n).array(); };
            c_ = gate(1).logistic() * c_ + gate(0).logistic() * gate(2).tanh();
            h_ = (gate(3).logistic() * c_.tanh()).matrix();
        }
        const Vector inner = (dense_ * h_ + dense_bias_).array().logistic().matrix();
        said_.noalias() = output_ * inner;
        said_ += output_bias_;
    }

    Matrix encoder_h_, encoder_c_;
    Vector begin_h_, begin_c_, input_;
    Matrix hidden_;
    Vector bias_;
    Matrix dense_, output_;
    Vector dense_bias_, output_bias_, before_, now_, said_, gates_, h_;
    Array c_;
    Eigen::Index at_ = 0;
};

}  // namespace

std::unique_ptr<Twin> make_ed_lstm(const Model& model) {
    return std::make_unique<EdLstm>(model);
}

}  // namespace gainstage::plain
