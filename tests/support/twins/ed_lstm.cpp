#include <array>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

namespace {

class EdLstmTwin final : public DoubleTwin {
public:
    explicit EdLstmTwin(const Reader& read)
        : z_(read.heard()),
          encode_{Layer(read, "encoder.h"), Layer(read, "encoder.c")},
          dense_(read, "dense"),
          output_(read, "output"),
          cell_(read, "lstm."),
          before_(Vector::Zero(encode_[0].weight.cols())),
          now_(before_),
          sounding_(before_),
          carries_(read.model.text("state", "rebuilt") == "carried") {
        for (int i = 0; i < 2; ++i) {
            begin_[i] = encode_[i].bias;
            const std::string name = i == 0 ? "condition.h" : "condition.c";
            if (z_.size() > 0) begin_[i] += Layer(read, name)(z_);
        }
    }
    double play(double sample) override {
        const double sound = sounding_[at_];
        now_[at_] = sample;
        if (++at_ == now_.size()) finish();
        return sound;
    }

private:
    void finish() {
        cell_.h = encode_[0].weight * before_ + begin_[0];
        const Vector fresh = encode_[1].weight * before_ + begin_[1];
        cell_.c = carries_ ? Vector(cell_.c + fresh) : fresh;
        for (const double sample : now_) cell_.step(Vector::Constant(1, sample));
        sounding_ = output_(dense_(cell_.h).unaryExpr(&sigmoid));
        before_ = now_;
        at_ = 0;
    }

    Vector z_;
    std::array<Layer, 2> encode_;
    std::array<Vector, 2> begin_;
    Layer dense_, output_;
    Cell cell_;
    Vector before_, now_, sounding_;
    Eigen::Index at_ = 0;
    bool carries_;
};

}  // namespace

std::unique_ptr<DoubleTwin> ed_lstm_twin(const Reader& read) {
    return std::make_unique<EdLstmTwin>(read);
}

}  // namespace gainstage::test
