#include <complex>
#include <deque>
#include <vector>

#include "tests/support/twins/parts.hpp"

namespace gainstage::test {

namespace {

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
        for (Eigen::Index k = 0; k < window.size(); ++k) window[k] = past_[k];
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

}  // namespace

std::unique_ptr<DoubleTwin> s6_twin(const Reader& read) {
    return std::make_unique<S6Twin>(read);
}

}  // namespace gainstage::test
