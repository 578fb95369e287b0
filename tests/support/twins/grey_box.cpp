#include <vector>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

namespace {

class GreyBoxTwin final : public DoubleTwin {
public:
    explicit GreyBoxTwin(const Reader& read) : rate_hz_(read.model.sample_rate_hz) {
        const bool relus = read.model.text("mlp_activation", "tanh") == "relu";
        const Vector o = read.network("mlp.", read.heard(), relus ? &relu : &hyperbolic, false);
        if (read.model.text("curve_output", "sigmoid") != "sigmoid") throw std::logic_error("curve_output");
        threshold_ = -80. * sigmoid(o[0]);
        slope_ = 1. / (1. + 30. * sigmoid(o[1])) - 1.;
        knee_ = o.size() == 3 ? 30. * sigmoid(o[2]) : 0.;
        if (read.has("detector.weight_hh")) {
            detector_.emplace_back(read, "detector.");
            detector_out_ = Layer(read, "detector.out");
        } else {
            taus_ = read.vector("detector.tau_s");
        }
        if (read.has("makeup.weight_hh")) {
            makeup_.emplace_back(read, "makeup.");
            makeup_out_ = Layer(read, "makeup.out");
        } else {
            offset_ = std::tanh(read.vector("makeup.bias")[0]);
            factor_ = 1. + std::tanh(read.vector("makeup.gain")[0]);
        }
    }
    double play(double x) override {
        const double g = curve(20. * std::log10(std::max(std::abs(x), 1e-4)) - threshold_) / 80.;
        const double tau = detector_.empty()
                               ? taus_[s_ > g ? 0 : taus_.size() - 1]
                               : sigmoid(detector_out_(detector_[0].step(Vector::Constant(1, g)))[0]);
        s_ += -std::expm1(-1. / (tau * rate_hz_)) * (g - s_);
        const double v = x * std::pow(10., 80. * s_ / 20.);
        if (makeup_.empty()) return (v + offset_) * factor_;
        return v + makeup_out_(makeup_[0].step(Vector::Constant(1, v)))[0];
    }

private:
    double curve(double over) const {
        if (2. * over < -knee_ || (over < 0. && knee_ == 0.)) return 0.;
        if (2. * over <= knee_) return slope_ * (over + knee_ / 2.) * (over + knee_ / 2.) / (2. * knee_);
        return slope_ * over;
    }
    double rate_hz_, threshold_ = 0., slope_ = 0., knee_ = 0., s_ = 0., offset_ = 0., factor_ = 1.;
    Vector taus_;
    std::vector<Cell> detector_, makeup_;
    Layer detector_out_, makeup_out_;
};

}  // namespace

std::unique_ptr<DoubleTwin> grey_box_twin(const Reader& read) {
    return std::make_unique<GreyBoxTwin>(read);
}

}  // namespace gainstage::test
