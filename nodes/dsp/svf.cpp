#include "nodes/dsp/svf.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace gainstage {

SvfCoefficients svf_coefficients(SvfMode mode, double cutoff_hz, double q, double gain_db,
                                 double sample_rate_hz) noexcept GAINSTAGE_REALTIME {
    double g = std::tan(std::numbers::pi * std::min(cutoff_hz / sample_rate_hz, 0.49));
    double k = 1. / q;
    const double a = std::pow(10., gain_db / 40.), gain = a * a;
    if (mode == SvfMode::lowshelf) g /= std::sqrt(a);
    if (mode == SvfMode::highshelf) g *= std::sqrt(a);
    if (mode == SvfMode::bell) k /= a;

    SvfCoefficients c;
    c.a1 = 1. / (1. + g * (g + k));
    c.a2 = g * c.a1;
    c.a3 = g * c.a2;
    const std::array<std::array<double, 3>, 7> mixes{{
        {0., 0., gain},                       // lowpass
        {gain, -k * gain, -gain},             // highpass
        {0., k * gain, 0.},                   // bandpass
        {gain, -k * gain, 0.},                // notch
        {1., k * (a - 1.), gain - 1.},        // lowshelf
        {gain, k * (1. - a) * a, 1. - gain},  // highshelf
        {1., k * (gain - 1.), 0.},            // bell
    }};
    const auto& mix = mixes[static_cast<std::size_t>(mode)];
    c.m0 = mix[0], c.m1 = mix[1], c.m2 = mix[2];
    return c;
}

}  // namespace gainstage
