#pragma once
/// Exponential approaches: 63 % of the way in one time constant, 9.2 time constants to -80 dB.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace gainstage {

/// What is left of the way after one sample.
inline double remaining_per_sample(double time_constant_ms, double sample_rate_hz) noexcept {
    return std::exp(-1000. / (time_constant_ms * sample_rate_hz));
}

/// Node::memory_samples for a state that fades with this time constant: to -80 dB, between 0.5 and 10 s.
inline std::int64_t memory_of(double time_constant_ms, double sample_rate_hz) noexcept {
    return std::llround(std::clamp(9.2 * time_constant_ms / 1000., 0.5, 10.) * sample_rate_hz);
}

/// A length of time in whole samples.
inline int samples_of(double ms, double sample_rate_hz) noexcept {
    return static_cast<int>(std::lround(ms * sample_rate_hz / 1000.));
}

}  // namespace gainstage
