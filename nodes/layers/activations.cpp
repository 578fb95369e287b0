#include "nodes/layers/activations.hpp"

#include <algorithm>
#include <unsupported/Eigen/SpecialFunctions>

#include "nodes/dsp/lanes.hpp"
#include "nodes/layers/dense.hpp"
#include "runtime/four.hpp"

namespace gainstage {

namespace {

static_assert(vector_channels == lane_count);

/// x above 0, factor x below, as PyTorch's, also for NaN.
void bend(float* rows, const float* factors, int width, int frames) noexcept {
    const Four zero = {};
    for (int c = 0; c < width; c += 4) {
        const Four factor = load_four(factors + c);
        for (int k = 0; k < frames; ++k) {
            float* at = rows + k * width + c;
            const Four x = load_four(at);
            store_four(at, x > zero ? x : factor * x);
        }
    }
}

/// f(x) for all elements, a vector of channels at a time.
template <class F>
void each(float* rows, int count, F f) noexcept {
    for (int i = 0; i < count; i += lane_count) {
        Eigen::Map<Lanes> x(rows + i);
        x = f(x);
    }
}

void squash(float* rows, const float* factors, int width, int frames) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int c = 0; c < width; c += lane_count) {
            Eigen::Map<Lanes> x(rows + k * width + c);
            x = Eigen::Map<const Lanes>(factors + c) * x.tanh();
        }
}

}  // namespace

std::optional<ActivationKind> activation_named(std::string_view name) noexcept {
    using enum ActivationKind;
    if (name == "Identity") return identity;
    if (name == "PReLU") return prelu;
    if (name == "ReLU") return relu;
    if (name == "GELU") return gelu;
    if (name == "tanh") return tanh;
    if (name == "PTanh") return ptanh;
    if (name == "sigmoid") return sigmoid;
    return {};
}

RowActivation::RowActivation(ActivationKind kind, int channels, std::span<const float> factors)
    : kind_(kind), factors_(static_cast<std::size_t>(padded(channels))) {
    if (factors.size() == 1)
        std::fill_n(factors_.begin(), channels, factors[0]);
    else
        std::copy(factors.begin(), factors.end(), factors_.begin());
}

void RowActivation::run(float* rows, int frames) const noexcept GAINSTAGE_REALTIME {
    const int width = static_cast<int>(factors_.size()), count = width * frames;
    switch (kind_) {
        case ActivationKind::identity:
            return;
        case ActivationKind::prelu:
        case ActivationKind::relu:  // its factors are 0
            return bend(rows, factors_.data(), width, frames);
        case ActivationKind::gelu:
            return each(rows, count,
                        [](const auto& x) { return x * (0.5f + 0.5f * (x * 0.70710678f).erf()); });
        case ActivationKind::tanh:
            return each(rows, count, [](const auto& x) { return x.tanh(); });
        case ActivationKind::ptanh:
            return squash(rows, factors_.data(), width, frames);
        case ActivationKind::sigmoid:
            return each(rows, count, [](const auto& x) { return 0.5f + 0.5f * (0.5f * x).tanh(); });
    }
}

}  // namespace gainstage
