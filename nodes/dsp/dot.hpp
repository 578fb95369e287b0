#pragma once
/// The dot product of two rows.

#include "nodes/dsp/lanes.hpp"

namespace gainstage {

/// Sum of a[i] b[i] over padded rows (rows.hpp), always in the same order.
inline float dot(const float* a, const float* b, int channels) noexcept {
    Lanes sum = Lanes::Zero();
    for (int i = 0; i < channels; i += lane_count)
        sum += Eigen::Map<const Lanes>(a + i) * Eigen::Map<const Lanes>(b + i);
    return sum.sum();
}

}  // namespace gainstage
