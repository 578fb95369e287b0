#pragma once
/// Milliseconds as samples of the stream.

#include <cmath>
#include <cstdint>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The nearest number of samples. REQUIRES: ms >= 0. Any thread.
inline std::uint32_t samples_of(float ms, double rate_hz) noexcept GAINSTAGE_REALTIME {
    return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * rate_hz / 1000.));
}

}  // namespace gainstage
