#include "nodes/kernels/vector_math.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::vector_math_test {

namespace {

struct Law {
    const char* name;
    VectorMath::Function here;
    std::function<double(double)> exact;
    double from, to;
    bool geometric;             ///< inputs lie evenly on a logarithmic scale
    double absolute, relative;  ///< the error may reach the larger of the two
};

/// 200,000 inputs, and the 100 floats next to either edge.
Channel inputs_of(const Law& law) {
    constexpr int count = 200'000;
    Channel x;
    for (int i = 0; i < count; ++i) {
        const double way = i / double(count - 1);
        x.push_back(static_cast<float>(law.geometric ? law.from * std::pow(law.to / law.from, way)
                                                     : law.from + (law.to - law.from) * way));
    }
    for (float edge : {static_cast<float>(law.from), static_cast<float>(law.to)})
        for (int i = 0; i < 100; ++i) {
            x.push_back(edge);
            edge = std::nextafter(edge, 0.5f * (x.front() + x[count - 1]));
        }
    return x;
}

double normal_cdf(double x) {
    return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

}  // namespace

TEST_CASE("vector maths: every function keeps its stated error over its whole range") {
    const VectorMath& m = vector_math();
    const auto sigmoid = [](double x) { return 1. / (1. + std::exp(-x)); };
    // The bounds are those of vector_math-inl.hpp; the errors reach 37 to 91 % of them.
    const std::vector<Law> laws{
        {"exp", m.exp, [](double x) { return std::exp(x); }, -87., 88., false, 0., 2e-7},
        {"1 - exp(-x)", m.one_minus_exp, [](double x) { return -std::expm1(-x); }, 1e-20, 87., true, 0.,
         3e-7},
        {"1 - exp(-x), near 1", m.one_minus_exp, [](double x) { return -std::expm1(-x); }, 0.1, 3., false, 0.,
         3e-7},
        {"exp2", m.exp2_of_negative, [](double x) { return std::exp2(x); }, -126., 0., false, 2e-7, 0.},
        {"tanh", m.tanh, [](double x) { return std::tanh(x); }, -30., 30., false, 3e-7, 0.},
        {"tanh, near 0", m.tanh, [](double x) { return std::tanh(x); }, 1e-20, 1., true, 0., 4e-7},
        {"sigmoid", m.sigmoid, sigmoid, -80., 80., false, 0., 3e-7},
        {"silu", m.silu, [&](double x) { return x * sigmoid(x); }, -80., 80., false, 1e-30, 4e-7},
        {"log", m.log, [](double x) { return std::log(x); }, 1e-37, 3e38, true, 0., 2e-7},
        {"log, near 1", m.log, [](double x) { return std::log(x); }, 0.5, 2., false, 1e-30, 2e-7},
        {"log2", m.log2, [](double x) { return std::log2(x); }, 1e-37, 3e38, true, 0., 2e-7},
        {"softplus", m.softplus, [](double x) { return x > 40. ? x : std::log1p(std::exp(x)); }, -80., 80.,
         false, 0., 4e-7},
        {"erf", m.erf, [](double x) { return std::erf(x); }, -10., 10., false, 4e-7, 0.},
        {"gelu", m.gelu, [](double x) { return x * normal_cdf(x); }, -100., 100., false, 8e-7, 2e-7},
        {"gelu, near 0", m.gelu, [](double x) { return x * normal_cdf(x); }, -2., 2., false, 3e-7, 3e-7},
    };
    for (const Law& law : laws) {
        const Channel x = inputs_of(law);
        Channel y(x.size());
        law.here(x.data(), y.data(), static_cast<int>(x.size()));
        double worst = 0., at = 0.;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double exact = law.exact(double{x[i]});
            const double allowed = std::max(law.absolute, law.relative * std::abs(exact));
            const double error = std::abs(double{y[i]} - exact) / allowed;
            if (!(error <= worst)) worst = error, at = double{x[i]};
        }
        INFO(law.name << ": " << worst << " of the bound at " << at);
        CHECK(worst <= 1.);
    }
}

TEST_CASE("vector maths: beyond the range results stay sane, and NaN stays NaN") {
    const VectorMath& m = vector_math();
    constexpr float inf = std::numeric_limits<float>::infinity();
    const auto of = [](VectorMath::Function f, float x) {
        float y = 7.f;
        f(&x, &y, 1);
        return y;
    };
    CHECK(of(m.tanh, inf) == Approx(1.).margin(3e-7));
    CHECK(of(m.tanh, -3e38f) == Approx(-1.).margin(3e-7));
    CHECK(of(m.tanh, 0.f) == 0.f);
    CHECK(of(m.sigmoid, inf) == Approx(1.).margin(3e-7));
    CHECK(of(m.sigmoid, -inf) < 1e-37f);
    CHECK(std::isfinite(of(m.exp, inf)));
    CHECK(of(m.exp, -inf) < 1.3e-38f);
    CHECK(of(m.exp2_of_negative, -inf) < 1.3e-38f);
    CHECK(of(m.softplus, 1e30f) == Approx(1e30));
    CHECK(of(m.log, 1.f) == 0.f);
    CHECK(of(m.erf, inf) == Approx(1.).margin(3e-7));
    int function = 0;
    for (const auto f : {m.tanh, m.sigmoid, m.silu, m.softplus, m.erf, m.gelu, m.exp}) {
        INFO("function " << function++);
        CHECK(std::isnan(of(f, std::numeric_limits<float>::quiet_NaN())));
    }
}

TEST_CASE("vector maths: an element's result does not depend on its neighbours") {
    const VectorMath& m = vector_math();
    const Channel x = white_noise(37, 5, 3.f);
    for (const auto f : {m.exp, m.tanh, m.sigmoid, m.silu, m.softplus, m.erf, m.gelu}) {
        Channel together(x.size()), alone(x.size());
        f(x.data(), together.data(), 37);
        for (int i = 0; i < 37; ++i) f(&x[i], &alone[i], 1);
        CHECK(together == alone);
    }
}

}  // namespace gainstage::test::vector_math_test
