#include <cmath>

#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

/// One number in, one number out, a sample at a time.
struct Cell {
    Cell(const Model& model, const std::string& prefix)
        : input(vector(model, prefix + ".weight_ih")),
          hidden(matrix(model, prefix + ".weight_hh")),
          input_bias(vector(model, prefix + ".bias_ih")),
          hidden_bias(vector(model, prefix + ".bias_hh")),
          out(vector(model, prefix + ".out.weight")),
          out_bias(vector(model, prefix + ".out.bias")[0]),
          h(Vector::Zero(hidden.cols())) {}

    float tick(float u) {
        const auto n = h.size();
        theirs = input * u + input_bias;
        ours = hidden * h + hidden_bias;
        if (ours.size() == n) {
            h = (theirs + ours).array().tanh().matrix();
        } else {
            const Array reset = (ours.head(n) + theirs.head(n)).array().logistic();
            const Array keep = (ours.segment(n, n) + theirs.segment(n, n)).array().logistic();
            const Array fresh = (theirs.tail(n).array() + reset * ours.tail(n).array()).tanh();
            h = (fresh + keep * (h.array() - fresh)).matrix();
        }
        return out.dot(h) + out_bias;
    }

    Vector input;
    Matrix hidden;
    Vector input_bias, hidden_bias, out;
    float out_bias;
    Vector h, theirs, ours;
};

class GreyBox final : public Twin {
public:
    explicit GreyBox(const Model& model) : rate_hz_(static_cast<float>(model.sample_rate_hz)) {
        if (model.find("detector.weight_hh")) detector_ = std::make_unique<Cell>(model, "detector");
        if (model.find("makeup.weight_hh")) makeup_ = std::make_unique<Cell>(model, "makeup");
    }

    void play(const float* in, float* out, int frames) override {
        const float threshold = -30.f, slope = -0.75f;
        for (int k = 0; k < frames; ++k) {
            const float level = 20.f * std::log10(std::max(std::abs(in[k]), 1e-4f));
            const float gain = slope * std::max(level - threshold, 0.f) / 80.f;
            float share = s_ > gain ? 0.01f : 0.0005f;
            if (detector_) {
                const float tau_s = 1.f / (1.f + std::exp(-detector_->tick(gain)));
                share = 1.f - std::exp(-1.f / (tau_s * rate_hz_));
            }
            s_ += share * (gain - s_);
            const float v = in[k] * std::pow(10.f, 4.f * s_);
            out[k] = makeup_ ? v + makeup_->tick(v) : v * 1.5f;
        }
    }

private:
    float rate_hz_, s_ = 0.f;
    std::unique_ptr<Cell> detector_, makeup_;
};

}  // namespace

std::unique_ptr<Twin> make_grey_box(const Model& model) {
    return std::make_unique<GreyBox>(model);
}

}  // namespace gainstage::plain
