#include <complex>
#include <vector>

#include "tools/bench/plain/plain.hpp"

namespace gainstage::plain {

namespace {

using Modes = Eigen::ArrayXXcf;

class S4d final : public Twin {
public:
    explicit S4d(const Model& model)
        : expand_(vector(model, "expand.weight")),
          expand_bias_(vector(model, "expand.bias")),
          contract_(vector(model, "contract.weight")),
          contract_bias_(vector(model, "contract.bias")[0]) {
        for (int n = 0; model.find("blocks." + std::to_string(n) + ".ssm.d"); ++n)
            blocks_.emplace_back(model, "blocks." + std::to_string(n) + ".");
    }

    void play(const float* in, float* out, int frames) override {
        Matrix x = (expand_ * Eigen::Map<const Eigen::RowVectorXf>(in, frames)).colwise() + expand_bias_;
        for (Block& b : blocks_) {
            Matrix u = (b.weight * x).colwise() + b.bias;
            u = u.cwiseMax(0.f) + b.factor1 * u.cwiseMin(0.f);
            for (int k = 0; k < frames; ++k) {
                b.state = b.a * b.state + b.b.colwise() * u.col(k).array().cast<std::complex<float>>();
                u.col(k) = (2.f * (b.c * b.state).real().rowwise().sum() + b.d * u.col(k).array()).matrix();
            }
            u = (b.gain.asDiagonal() * u).colwise() + b.offset;
            u = u.cwiseMax(0.f) + b.factor2 * u.cwiseMin(0.f);
            x = (b.residual.asDiagonal() * x + u).eval();
        }
        Eigen::Map<Eigen::RowVectorXf>(out, frames) =
            ((contract_.transpose() * x).array() + contract_bias_).tanh().matrix();
    }

private:
    struct Block {
        Block(const Model& model, const std::string& prefix)
            : weight(matrix(model, prefix + "linear.weight")),
              bias(vector(model, prefix + "linear.bias")),
              factor1(vector(model, prefix + "activation1.factor")[0]),
              factor2(vector(model, prefix + "activation2.factor")[0]),
              residual(vector(model, prefix + "residual")),
              d(vector(model, prefix + "ssm.d").array()) {
            const Matrix real = matrix(model, prefix + "ssm.log_a_real"),
                         imaginary = matrix(model, prefix + "ssm.a_imag"),
                         pairs = matrix(model, prefix + "ssm.c");
            const Vector log_dt = vector(model, prefix + "ssm.log_dt");
            a.resize(real.rows(), real.cols());
            b = c = state = a;
            for (Eigen::Index h = 0; h < a.rows(); ++h)
                for (Eigen::Index n = 0; n < a.cols(); ++n) {
                    const std::complex<float> pole(-std::exp(real(h, n)), imaginary(h, n));
                    a(h, n) = std::exp(std::exp(log_dt[h]) * pole);
                    b(h, n) = (a(h, n) - 1.f) / pole;
                    c(h, n) = {pairs(h, 2 * n), pairs(h, 2 * n + 1)};
                }
            state.setZero();
            const Vector film = vector(model, prefix + "film.bias");
            gain = film.head(d.size()), offset = film.tail(d.size());
        }

        Matrix weight;
        Vector bias;
        float factor1, factor2;
        Vector gain, offset, residual;
        Array d;
        Modes a, b, c, state;
    };

    Vector expand_, expand_bias_, contract_;
    float contract_bias_;
    std::vector<Block> blocks_;
};

}  // namespace

std::unique_ptr<Twin> make_s4d(const Model& model) {
    return std::make_unique<S4d>(model);
}

}  // namespace gainstage::plain
