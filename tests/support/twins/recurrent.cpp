#include <vector>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

namespace {

class RecurrentTwin final : public DoubleTwin {
public:
    explicit RecurrentTwin(const Reader& read)
        : z_(read.heard()),
          out_(read, "output"),
          tanh_(read.model.text("final_tanh", "none") == "tanh"),
          skip_(read.model.number("skip", 0.) != 0.) {
        for (int i = 0; read.has("layers." + std::to_string(i) + ".weight_hh"); ++i)
            layers_.emplace_back(read, "layers." + std::to_string(i) + ".");
    }
    double play(double x) override {
        Vector v = joined(Vector::Constant(1, x), z_);
        for (Cell& layer : layers_) v = layer.step(v);
        const double y = out_(v)[0];
        return (tanh_ ? std::tanh(y) : y) + (skip_ ? x : 0.);
    }

private:
    Vector z_;
    Layer out_;
    bool tanh_, skip_;
    std::vector<Cell> layers_;
};

}  // namespace

std::unique_ptr<DoubleTwin> recurrent_twin(const Reader& read) {
    return std::make_unique<RecurrentTwin>(read);
}

}  // namespace gainstage::test
