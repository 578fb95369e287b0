#pragma once
/// Exponential approaches: 63 % of the way in one time constant, 9.2 time constants to -80 dB.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gainstage {

/// Share of the distance that is left after one sample.
inline double remaining_per_sample(double time_constant_ms, double sample_rate_hz) noexcept {
    return std::exp(-1000. / (time_constant_ms * sample_rate_hz));
}

/// Node::memory_samples for a state that fades with this time constant: the time to -80 dB, limited to
/// 0.5 .. 10 s.
inline std::int64_t memory_of(double time_constant_ms, double sample_rate_hz) noexcept {
    return std::llround(std::clamp(9.2 * time_constant_ms / 1000., 0.5, 10.) * sample_rate_hz);
}

/// A length of time in whole samples.
inline int samples_of(double ms, double sample_rate_hz) noexcept {
    return static_cast<int>(std::lround(ms * sample_rate_hz / 1000.));
}

}  // namespace gainstage
