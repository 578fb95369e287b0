#include <complex>
#include <vector>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

namespace {

using Complex = std::complex<double>;

class S4dTwin final : public DoubleTwin {
public:
    explicit S4dTwin(const Reader& read)
        : expand_(read, "expand"), contract_(read, "contract"), model_(read.model) {
        Vector z = read.heard();
        if (read.has("conditioning.0.weight")) z = read.network("conditioning.", z, &relu, true);
        if (read.has("tanh.factor")) tanh_factor_ = read.vector("tanh.factor")[0];
        for (int i = 0; read.has("blocks." + std::to_string(i) + ".ssm.d"); ++i)
            blocks_.emplace_back(read, "blocks." + std::to_string(i) + ".", z);
    }
    double play(double x) override {
        const double heard =
            model_.flag("front_decibels", false) ? 20. * std::log10(std::max(std::abs(x), 1e-4)) : x;
        Vector h = expand_(Vector::Constant(1, heard));
        for (Block& block : blocks_) h = block.step(h);
        double y = contract_(h)[0];
        if (model_.flag("to_amplitude", false)) y = std::pow(10., y / 20.);
        y = squashed("tanh_before_product", y);
        if (model_.flag("product", false)) y *= x;
        return squashed("final_tanh", y);
    }

private:
    struct Activation {
        std::string kind;
        Vector factor;
        Activation(const Reader& read, const std::string& number, const std::string& prefix, Eigen::Index c)
            : kind(read.model.text("activation" + number, "PReLU")), factor(Vector::Zero(c)) {
            if (!read.has(prefix + "activation" + number + ".factor")) return;
            const Vector learned = read.vector(prefix + "activation" + number + ".factor");
            for (Eigen::Index i = 0; i < c; ++i) factor[i] = learned[learned.size() == 1 ? 0 : i];
        }
        double of(double x, Eigen::Index channel) const {
            if (kind == "PReLU") return x > 0. ? x : factor[channel] * x;
            if (kind == "ReLU") return relu(x);
            if (kind == "GELU") return gelu(x);
            if (kind == "tanh") return std::tanh(x);
            if (kind == "PTanh") return factor[channel] * std::tanh(x);
            if (kind == "sigmoid") return sigmoid(x);
            if (kind == "Identity") return x;
            throw std::logic_error("activation " + kind);
        }
    };

    struct Block {
        std::unique_ptr<Layer> linear;
        Activation before, after;
        Eigen::MatrixXcd pole, weight, state;  ///< [channel][mode]
        Vector direct, mean, deviation, gain, offset, residual;

        Block(const Reader& read, const std::string& p, const Vector& z)
            : before(read, "1", p, read.vector(p + "ssm.d").size()),
              after(read, "2", p, read.vector(p + "ssm.d").size()),
              direct(read.vector(p + "ssm.d")) {
            const Eigen::Index c = direct.size();
            if (read.has(p + "linear.weight")) linear = std::make_unique<Layer>(read, p + "linear");
            discretise(read, p, read.model.text("discretisation", "zoh") == "bilinear");
            mean = read.has(p + "norm.mean") ? read.vector(p + "norm.mean") : Vector::Zero(c);
            deviation = Vector::Ones(c);
            if (read.has(p + "norm.variance"))
                deviation = (read.vector(p + "norm.variance").array() + 1e-5).sqrt().matrix();
            Vector film = joined(Vector::Ones(c), Vector::Zero(c));
            if (read.has(p + "film.bias")) film = read.vector(p + "film.bias");
            if (read.has(p + "film.weight")) film += read.matrix(p + "film.weight") * z;
            gain = film.head(c);
            offset = film.tail(c);
            residual = read.has(p + "residual") ? read.vector(p + "residual") : Vector::Zero(c);
        }
        void discretise(const Reader& read, const std::string& p, bool bilinear) {
            const Matrix log_dt = read.matrix(p + "ssm.log_dt"), log_a = read.matrix(p + "ssm.log_a_real"),
                         a_imag = read.matrix(p + "ssm.a_imag"), c = read.matrix(p + "ssm.c");
            const Matrix b = read.has(p + "ssm.b") ? read.matrix(p + "ssm.b") : Matrix();
            pole = weight = state = Eigen::MatrixXcd::Zero(log_a.rows(), log_a.cols());
            for (Eigen::Index i = 0; i < log_a.rows(); ++i)
                for (Eigen::Index n = 0; n < log_a.cols(); ++n) {
                    const double dt = std::exp(log_dt(i, log_dt.cols() == 1 ? 0 : n));
                    const Complex a(-std::exp(log_a(i, n)), a_imag(i, n));
                    const Complex in = b.size() ? Complex(b(i, 2 * n), b(i, 2 * n + 1)) : Complex(1.);
                    const Complex one(1.), half = dt * a / 2.;
                    pole(i, n) = bilinear ? (one + half) / (one - half) : std::exp(dt * a);
                    const Complex step = bilinear ? in * dt / (one - half) : in * (pole(i, n) - one) / a;
                    weight(i, n) = Complex(c(i, 2 * n), c(i, 2 * n + 1)) * step;
                }
        }
        Vector step(const Vector& x) {
            Vector u = linear ? (*linear)(x) : x, y(x.size());
            for (Eigen::Index i = 0; i < u.size(); ++i) {
                u[i] = before.of(u[i], i);
                double sum = direct[i] * u[i];
                for (Eigen::Index n = 0; n < pole.cols(); ++n) {
                    state(i, n) = pole(i, n) * state(i, n) + u[i];
                    sum += 2. * (weight(i, n) * state(i, n)).real();
                }
                y[i] = after.of(gain[i] * (sum - mean[i]) / deviation[i] + offset[i], i) + residual[i] * x[i];
            }
            return y;
        }
    };

    double squashed(const char* key, double y) const {
        const std::string how = model_.text(key, "none");
        return how == "none" ? y : (how == "ptanh" ? tanh_factor_ : 1.) * std::tanh(y);
    }

    Layer expand_, contract_;
    const Model& model_;
    double tanh_factor_ = 1.;
    std::vector<Block> blocks_;
};

}  // namespace

std::unique_ptr<DoubleTwin> s4d_twin(const Reader& read) {
    return std::make_unique<S4dTwin>(read);
}

}  // namespace gainstage::test
