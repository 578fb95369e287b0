#include "nodes/layers/activations.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include "nodes/layers/dense.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::activations_test {

namespace {

struct Known {
    const char* name;
    std::function<double(double)> formula;
    double margin;  ///< allowed error over max(1, |x|)
};

constexpr float factor = 0.3f;

/// Measured over -12..12: tanh 2.8e-7, sigmoid 1.6e-7, GELU 8.3e-8 of |x|; the rest rounds once.
const Known known[] = {
    {"Identity", [](double x) { return x; }, 0.},
    {"PReLU", [](double x) { return x > 0. ? x : double{factor} * x; }, 6e-8},
    {"ReLU", [](double x) { return x > 0. ? x : 0.; }, 0.},
    {"GELU", [](double x) { return 0.5 * x * (1. + std::erf(x / std::sqrt(2.))); }, 3e-7},
    {"tanh", [](double x) { return std::tanh(x); }, 5e-7},
    {"PTanh", [](double x) { return double{factor} * std::tanh(x); }, 2e-7},
    {"sigmoid", [](double x) { return 1. / (1. + std::exp(-x)); }, 5e-7},
};

RowActivation activation(const char* name, int channels) {
    const ActivationKind kind = activation_named(name).value();
    return learns(kind) ? RowActivation(kind, channels, std::array{factor}) : RowActivation(kind, channels);
}

}  // namespace

TEST_CASE("activations: each one matches its formula") {
    for (const Known& each : known)
        for (float x = -12.f; x <= 12.f; x += 0.0137f) {
            Channel row(16, x);
            activation(each.name, 16).run(row.data(), 1);
            INFO(each.name << " of " << x);
            CHECK(std::abs(double{row[3]} - each.formula(double{x})) <=
                  each.margin * std::max(1., std::abs(double{x})));
        }
}

TEST_CASE("activations: far from 0 they keep their limits, and NaN stays NaN") {
    for (const Known& each : known)
        for (const float x : {-1e30f, -100.f, 100.f, 1e30f}) {
            Channel row(16, x);
            row[5] = std::numeric_limits<float>::quiet_NaN();
            activation(each.name, 16).run(row.data(), 1);
            INFO(each.name << " of " << x);
            CHECK(double{row[3]} == Approx(each.formula(double{x})).epsilon(1e-6).margin(1e-6));
            CHECK(std::isnan(row[5]));
        }
}

TEST_CASE(
    "activations: each channel may have its own learned number, and a frame does not depend on the others") {
    const int channels = 21, frames = 5, width = padded(channels);
    const Channel factors = white_noise(channels, 1);
    for (const ActivationKind kind : {ActivationKind::prelu, ActivationKind::ptanh}) {
        const RowActivation each(kind, channels, factors);
        Channel rows = white_noise(frames * width, 2, 4.f);
        const Channel before = rows;
        Channel alone = rows;
        each.run(rows.data(), frames);
        for (int f = 0; f < frames; ++f) each.run(alone.data() + f * width, 1);
        CHECK(rows == alone);
        for (int f = 0; f < frames; ++f)
            for (int c = 0; c < channels; ++c) {
                const double x = double{before[f * width + c]}, a = double{factors[c]};
                const double y = kind == ActivationKind::ptanh ? a * std::tanh(x) : x > 0. ? x : a * x;
                CHECK(double{rows[f * width + c]} == Approx(y).margin(1e-6));
            }
    }
    CHECK_FALSE(activation_named("relu"));
}

}  // namespace gainstage::test::activations_test
