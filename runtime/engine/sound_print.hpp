#pragma once
/// The fingerprint of a sound: by it a log knows the recording that belongs to it.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "runtime/model/hash.hpp"

namespace gainstage {

/// FNV-1a, 64 bits, of all samples: frame by frame, the channels of a frame in order, each sample the four
/// bytes of its float, the lowest first. So it depends on no block size and no file format that keeps the
/// samples. It finds a wrong file, not a forged one.
class SoundPrint {
public:
    /// Any thread but the audio thread: a nanosecond or so a byte.
    void add(const float* const* channels, int count, int frames) noexcept {
        for (int k = 0; k < frames; ++k)
            for (int c = 0; c < count; ++c) {
                const auto bits = std::bit_cast<std::uint32_t>(channels[c][k]);
                hash_.add(std::array{std::byte(bits), std::byte(bits >> 8), std::byte(bits >> 16),
                                     std::byte(bits >> 24)});
            }
        frames_ += static_cast<std::uint64_t>(frames);
    }
    std::uint64_t frames() const noexcept { return frames_; }
    std::uint64_t value() const noexcept { return hash_.value(); }

private:
    Hash hash_;
    std::uint64_t frames_ = 0;
};

}  // namespace gainstage
