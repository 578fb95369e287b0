#pragma once
/// Watches what nodes write. From its first bad sample on a node gives way to its dry sound.

#include <bit>
#include <cstdint>

#include "runtime/four.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// The ceiling of plain effects outside loops, +80 dBFS: loud knobs are no fault, sound that runs away is.
inline constexpr float plain_ceiling = 1e4f;

/// A test in a few instructions, which most sound of ordinary level passes. The or of all bit patterns is at
/// least the greatest of them, and stays below the pattern of 2.0 while every sample stays below 2.0.
inline bool surely_within(const float* x, int frames, std::int32_t ceiling_bits) noexcept GAINSTAGE_REALTIME {
    return frames % 16 == 0 && (or_of_bits(x, frames) & 0x7fffffff) <= ceiling_bits;
}

/// Checks a node's output, sample by sample if it must, and applies bypass, mute and quarantine. For whoever
/// runs the step.
void look_closely(const Step&, Piece&, const Block&) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
