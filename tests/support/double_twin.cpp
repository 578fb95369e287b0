#include "tests/support/double_twin.hpp"

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <complex>
#include <deque>
#include <numbers>
#include <stdexcept>

namespace gainstage::test {

namespace {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;
using Complex = std::complex<double>;

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
    /// What the network hears of the knobs at their defaults.
    Vector heard() const {
        Vector z(static_cast<Eigen::Index>(model.controls.size()));
        for (Eigen::Index i = 0; i < z.size(); ++i) {
            const ModelControl& knob = model.controls[static_cast<std::size_t>(i)];
            z[i] = double{knob.start} * double{knob.scale} + double{knob.offset};
        }
        return z;
    }
    /// Layers PREFIX.0, PREFIX.1 ... with `squash` between them, and after the last where it says so.
    Vector network(const std::string& prefix, Vector z, double (*squash)(double), bool after_last) const {
        for (int i = 0; has(prefix + std::to_string(i) + ".weight"); ++i) {
            const std::string layer = prefix + std::to_string(i);
            z = matrix(layer + ".weight") * z + vector(layer + ".bias");
            if (after_last || has(prefix + std::to_string(i + 1) + ".weight")) z = z.unaryExpr(squash);
        }
        return z;
    }
};

double sigmoid(double x) {
    return 1. / (1. + std::exp(-x));
}
double relu(double x) {
    return std::max(x, 0.);
}
double hyperbolic(double x) {
    return std::tanh(x);
}
double gelu(double x) {
    return 0.5 * x * (1. + std::erf(x / std::numbers::sqrt2));
}
double silu(double x) {
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

Vector joined(const Vector& a, const Vector& b) {
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

// ------------------------------------------------------------------------------------------------ lstm, gru

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

// ------------------------------------------------------------------------------------------------ grey_box

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

// ------------------------------------------------------------------------------------------------ s4d

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

// ------------------------------------------------------------------------------------------------ s6

class S6Twin final : public DoubleTwin {
public:
    explicit S6Twin(const Reader& read)
        : z_(read.heard()),
          input_(read, "input"),
          film_(read, "film"),
          film_glu_(read, "film.glu"),
          output_(read, "output"),
          act_(read.model.text("activation", "gelu") == "tanh" ? &hyperbolic : &gelu),
          product_(read.model.flag("product", true)),
          past_(static_cast<std::size_t>(input_.weight.cols())) {
        if (read.model.text("meaning", "recurrent") != "recurrent") throw std::logic_error("meaning");
        for (int i = 0; read.has("ssm." + std::to_string(i) + ".a_log"); ++i) {
            ssm_.emplace_back(read, "ssm." + std::to_string(i) + ".");
            mix_.emplace_back(read, "mix." + std::to_string(i));
        }
        if (read.has("features.weight")) make_waves(read);
        if (read.has("temporal.weight_hh")) {
            cell_.emplace_back(read, "temporal.");
            temporal_glu_ = Layer(read, "temporal.glu");
        }
    }
    double play(double x) override {
        past_.push_back(x);
        past_.pop_front();
        Vector window(static_cast<Eigen::Index>(past_.size()));
        for (Eigen::Index k = 0; k < window.size(); ++k) window[k] = past_[static_cast<std::size_t>(k)];
        Vector features(0);
        if (waves_.size()) features = features_(Vector((waves_ * window).cwiseAbs()));
        const Eigen::Index first = film_.weight.cols() - features.size();
        Vector v = stage(0, input_(window));
        v = modulated(v, film_(joined(z_.head(first), features)), film_glu_);
        if (!cell_.empty()) {
            const Vector heard = joined(z_.tail(z_.size() - first), features);
            v = stage(1, modulated(v, cell_[0].step(heard), temporal_glu_));
        }
        return output_(v)[0] * (product_ ? x : 1.);
    }

private:
    struct Ssm {
        Matrix in, conv, project, rates, state, past;
        Vector conv_bias, skip;
        Layer dt, out;
        Ssm(const Reader& read, const std::string& p)
            : project(read.matrix(p + "x.weight")),
              rates(read.matrix(p + "a_log").array().exp().matrix()),
              state(Matrix::Zero(rates.rows(), rates.cols())),
              skip(read.vector(p + "skip")),
              dt(read, p + "dt"),
              out(read, p + "out") {
            if (!read.has(p + "in.weight")) return;
            in = read.matrix(p + "in.weight");
            conv = read.matrix(p + "conv.weight");
            conv_bias = read.vector(p + "conv.bias");
            past = Matrix::Zero(conv.rows(), conv.cols());
        }
        Vector step(const Vector& x) {
            Vector u = x, gate = Vector::Ones(skip.size());
            if (in.size()) {
                const Vector both = in * x;
                const Matrix older = past.rightCols(past.cols() - 1);
                past.leftCols(past.cols() - 1) = older;
                past.col(past.cols() - 1) = both.head(skip.size());
                u = (conv.cwiseProduct(past).rowwise().sum() + conv_bias).unaryExpr(&silu);
                gate = both.tail(skip.size()).unaryExpr(&silu);
            }
            const Vector p = project * u;
            const Eigen::Index rank = dt.weight.cols(), n = rates.cols();
            const Vector delta = dt(p.head(rank)).unaryExpr([](double d) { return std::log1p(std::exp(d)); });
            Vector s(skip.size());
            for (Eigen::Index d = 0; d < skip.size(); ++d) {
                for (Eigen::Index k = 0; k < n; ++k)
                    state(d, k) =
                        std::exp(-delta[d] * rates(d, k)) * state(d, k) + delta[d] * u[d] * p[rank + k];
                s[d] = (state.row(d).dot(p.segment(rank + n, n)) + skip[d] * u[d]) * gate[d];
            }
            return out(s);
        }
    };

    void make_waves(const Reader& read) {
        features_ = Layer(read, "features");
        const Eigen::Index bins = features_.weight.cols();
        waves_.resize(bins, input_.weight.cols());
        for (Eigen::Index b = 0; b < bins; ++b)
            for (Eigen::Index s = 0; s < waves_.cols(); ++s)
                waves_(b, s) = std::polar(1., -2. * std::numbers::pi * static_cast<double>(b * s) /
                                                  static_cast<double>(2 * bins - 1));
    }
    Vector stage(std::size_t k, const Vector& v) { return mix_[k](ssm_[k].step(v)).unaryExpr(act_); }
    static Vector modulated(const Vector& v, const Vector& ab, const Layer& glu) {
        const Eigen::Index c = v.size();
        const Vector both = glu(ab.head(c).cwiseProduct(v) + ab.tail(c));
        const Eigen::Index half = both.size() / 2;
        const Vector gate = both.tail(half).unaryExpr([](double g) { return g / (1. + std::abs(g)); });
        return both.head(half).cwiseProduct(gate);
    }

    Vector z_;
    Layer input_, film_, film_glu_, output_, features_, temporal_glu_;
    double (*act_)(double);
    bool product_;
    std::deque<double> past_;
    std::vector<Ssm> ssm_;
    std::vector<Layer> mix_;
    std::vector<Cell> cell_;
    Eigen::MatrixXcd waves_;
};

// ------------------------------------------------------------------------------------------------ ed_lstm

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

std::unique_ptr<DoubleTwin> double_twin(const std::shared_ptr<const Model>& model) {
    const Reader read{*model};
    if (model->architecture == "lstm" || model->architecture == "gru")
        return std::make_unique<RecurrentTwin>(read);
    if (model->architecture == "grey_box") return std::make_unique<GreyBoxTwin>(read);
    if (model->architecture == "s4d") return std::make_unique<S4dTwin>(read);
    if (model->architecture == "ed_lstm") return std::make_unique<EdLstmTwin>(read);
    if (model->architecture == "s6") return std::make_unique<S6Twin>(read);
    throw std::logic_error("no twin of " + model->architecture);
}

}  // namespace gainstage::test
