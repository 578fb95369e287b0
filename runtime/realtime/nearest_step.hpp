#pragma once
/// Knobs that take only so many values.

#include <algorithm>
#include <cmath>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The nearest of `steps` evenly spaced values from `min` to `max`. REQUIRES: min < max, steps >= 2. Any
/// thread.
inline float nearest_step(float value, float min, float max, int steps) noexcept GAINSTAGE_REALTIME {
    const float step = (max - min) / static_cast<float>(steps - 1);
    return min + step * std::round((std::clamp(value, min, max) - min) / step);
}

}  // namespace gainstage
