#pragma once
/// Constants and elementwise steps of the grey-box compressor (grey_box_steps.hpp has the rest): Wright &
/// Valimaki, "Grey-box modelling of dynamic range compression", DAFx 2022 (CC BY 4.0), with the choices of
/// the authors' published code.

#include <cmath>

#include "nodes/dsp/lanes.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage::grey_box {

/// Gains are kept in units of 80 dB, the range that the level detector sees: -1 is 80 dB of reduction.
inline constexpr float range_db = 80.f;
/// The detector hears nothing below -80 dBFS.
inline constexpr float floor_amplitude = 1e-4f;

/// Level of |x| in dBFS, never below -80: 20 log10(max(|x|, 1e-4)).
inline Lanes level_db(const Lanes& x) noexcept GAINSTAGE_REALTIME {
    constexpr float factor = 8.685889638065035f;  // 20 / ln(10)
    // Eigen calls its own maximum through a pointer.
    GAINSTAGE_KNOWN_REALTIME(return factor * x.abs().max(floor_amplitude).log());
}

/// Coefficient b of s += b (g - s) for a time constant of tau_s seconds.
inline double coefficient(double tau_s, double rate_hz) noexcept {
    return -std::expm1(-1. / (tau_s * rate_hz));
}

}  // namespace gainstage::grey_box
