#pragma once
/// How sound cards write a sample, and the way from there to float and back.

#include <cstddef>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// In the byte order of the machine, except for s24_packed.
enum class SampleFormat {
    f32,         ///< float; full scale is 1
    s32,         ///< 32 bits
    s24,         ///< the lower 24 bits of 32; the upper byte means nothing
    s24_packed,  ///< 24 bits in three bytes, the lowest first
    s16          ///< 16 bits
};

/// Of one sample.
int bytes_of(SampleFormat) noexcept;

/// Any thread. Reads `frames` samples that are `step` bytes apart. A float stays as it is.
void decode(SampleFormat, const std::byte* from, int step, float* to, int frames) noexcept GAINSTAGE_REALTIME;
/// Any thread. Writes `frames` samples, `step` bytes apart. A float stays as it is. An integer is the nearest
/// one; what is too loud for it clips, and NaN becomes silence.
void encode(SampleFormat, const float* from, std::byte* to, int step, int frames) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
