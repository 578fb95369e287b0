#pragma once
/// The elementwise steps of the grey-box compressor: Wright & Valimaki, "Grey-box modelling of dynamic range
/// compression", DAFx 2022 (CC BY 4.0), with the choices of the authors' published code.

#include <cmath>

#include "nodes/kernels/lanes.hpp"

namespace gainstage::grey_box {

/// Gains are kept in units of 80 dB, the range that the level detector sees: -1 is 80 dB of reduction.
inline constexpr float range_db = 80.f;
/// The detector hears nothing below -80 dBFS.
inline constexpr float floor_amplitude = 1e-4f;

/// Level of |x| in dBFS, never below -80: 20 log10(max(|x|, 1e-4)).
inline Lanes level_db(const Lanes& x) noexcept {
    return 8.685889638065035f * x.abs().max(floor_amplitude).log();  // 20 / ln(10)
}

/// Gain (<= 0, in units of 80 dB) of a steady level. `slope`: (1 / ratio - 1) / 80. The parabola of a soft
/// knee is (over + knee/2)^2 / (2 knee), straight on after it; with knee 0 nothing of it is left but the
/// corner.
inline Lanes static_gain(const Lanes& level, const Lanes& threshold_db, const Lanes& slope,
                         const Lanes& knee_db) noexcept {
    const Lanes over = level - threshold_db;
    const Lanes half_knee = 0.5f * knee_db;
    const Lanes in_knee = (over + half_knee).max(0.f).min(knee_db);
    return slope * (in_knee * in_knee / (2.f * knee_db.max(1e-6f)) + (over - half_knee).max(0.f));
}

/// 10^(80 gain / 20)
inline Lanes amplitude(const Lanes& gain) noexcept {
    return (9.210340371976184f * gain).exp();  // 4 ln(10)
}

/// Coefficient b of s += b (g - s), for time constant sig(raw) seconds: 1 - exp(-1 / (tau rate)). In doubles:
/// at 1 s the exponential is so near 1 that a float would leave three digits of the difference.
inline void coefficients(const Lanes& raw, double rate_hz, double* out) noexcept {
    using Doubles = Eigen::Array<double, lane_count, 1>;
    const Lanes per_second = 1.f + (-raw.max(-80.f).min(80.f)).exp();  // 1 / sig(raw)
    Eigen::Map<Doubles, Eigen::Aligned64> result(out);
    result = 1. - (per_second.cast<double>() * (-1. / rate_hz)).exp();
}

/// The same for a fixed time constant.
inline double coefficient(double tau_s, double rate_hz) noexcept {
    return -std::expm1(-1. / (tau_s * rate_hz));
}

}  // namespace gainstage::grey_box
