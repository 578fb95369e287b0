#pragma once
/// Watches what nodes write. From its first bad sample on a node gives way to its dry sound.

#include <bit>
#include <cstdint>

#include "runtime/four.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// True for most sound of ordinary level, in a few instructions: all bit patterns or-ed together are no
/// smaller than the greatest, and stay below that of 2.0 while every sample does.
inline bool surely_within(const float* x, int frames, std::int32_t ceiling_bits) noexcept GAINSTAGE_REALTIME {
    return frames % 16 == 0 && (or_of_bits(x, frames) & 0x7fffffff) <= ceiling_bits;
}

/// Checks what a node wrote, sample by sample where need be, and lays bypass, mute and quarantine on it.
/// Whoever runs the step.
void look_closely(const Step&, Piece&, const Block&) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
