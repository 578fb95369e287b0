#pragma once
/// Whether sound stays below a level, as fast as it can be asked.

#include <bit>
#include <cstdint>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// |x| <= ceiling for all of them; false where one is no number. `ceiling_bits`: the bits of the ceiling,
/// which is positive. Compares bit patterns, in which NaN and infinity lie above every finite number. Any
/// thread.
inline bool each_within(const float* x, int frames, std::int32_t ceiling_bits) noexcept GAINSTAGE_REALTIME {
    std::int32_t over = 0;
    for (int k = 0; k < frames; ++k)
        over |= static_cast<std::int32_t>((std::bit_cast<std::int32_t>(x[k]) & 0x7fffffff) > ceiling_bits);
    return over == 0;
}

}  // namespace gainstage
