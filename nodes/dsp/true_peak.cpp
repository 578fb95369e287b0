#include "nodes/dsp/true_peak.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gainstage {

namespace {

constexpr double kaiser_beta = 4.;

/// Samples that are interpolated side by side, in vector registers.
constexpr int tile = 4;
static_assert(TruePeak::max_frames % tile == 0);

using Phase = std::array<float, TruePeak::taps>;

double bessel_i0(double x) {
    double term = 1., sum = 1.;
    for (int n = 1; n < 40; ++n) {
        term *= (x / 2.) * (x / 2.) / (n * n);
        sum += term;
    }
    return sum;
}

/// Windowed sinc that computes the sound `phase` quarters of a sample after sample n - delay from the samples
/// n - j.
Phase design(int phase) {
    constexpr double half = TruePeak::delay_samples;
    std::array<double, TruePeak::taps> h{};
    double sum = 0.;
    for (int j = 0; j < TruePeak::taps; ++j) {
        const double t = half - j - static_cast<double>(phase) / TruePeak::phases,
                     angle = std::numbers::pi * t;
        const double window = bessel_i0(kaiser_beta * std::sqrt(std::max(0., 1. - t * t / (half * half))));
        h[j] = window * std::sin(angle) / angle;
        sum += h[j];
    }
    Phase normalised{};  // so that a constant has a gain of 1
    for (int j = 0; j < TruePeak::taps; ++j) normalised[j] = static_cast<float>(h[j] / sum);
    return normalised;
}

/// Phases 1..3; phase 0 is the samples themselves.
const std::array<Phase, TruePeak::phases - 1> filters{design(1), design(2), design(3)};

/// Amplitude at the top of the parabola through three neighbours, `b` being the largest.
float top_of_parabola(float a, float b, float c) noexcept {
    const float curvature = 2.f * b - a - c;
    return curvature > 0.f ? b + (c - a) * (c - a) / (8.f * curvature) : b;
}

}  // namespace

void TruePeak::run(const float* in, int frames, float* peaks) noexcept GAINSTAGE_REALTIME {
    Points points;
    interpolate(in, frames, points);
    for (int k = 0; k < frames; ++k) {
        float peak = std::abs(last_);
        for (const auto& phase : points) {
            const float next = phase[k], size = std::abs(last_);
            peak = std::max(peak, std::abs(next));
            if (size >= std::abs(before_) && size >= std::abs(next)) {
                const float sign = std::copysign(1.f, last_);
                peak = std::max(peak, top_of_parabola(sign * before_, size, sign * next));
            }
            before_ = last_, last_ = next;
        }
        peaks[k] = peak;
    }
}

void TruePeak::interpolate(const float* in, int frames, Points& points) noexcept {
    std::copy_n(in, frames, past_.begin() + taps - 1);
    std::copy_n(past_.begin() + taps - 1 - delay_samples, frames, points[0].begin());
    for (int first = 0; first < frames; first += tile) {  // the last tile may read and write past `frames`
        float sum[phases - 1][tile] = {};
        for (int j = 0; j < taps; ++j) {
            const float* x = past_.data() + first + taps - 1 - j;
            for (int p = 0; p < phases - 1; ++p)
                for (int k = 0; k < tile; ++k) sum[p][k] += filters[p][j] * x[k];
        }
        for (int p = 1; p < phases; ++p) std::copy_n(sum[p - 1], tile, points[p].begin() + first);
    }
    std::copy_n(past_.begin() + frames, taps - 1, past_.begin());
}

}  // namespace gainstage
