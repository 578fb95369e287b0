#pragma once
/// The recent past of one channel.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "runtime/state_list.hpp"

namespace gainstage {

/// A ring that is read by sample number. Number 0 is the first sample written; everything before it is
/// silence. Unwritten samples are never read, so a reset costs nothing, however long the ring is.
class DelayLine {
public:
    /// Keeps at least `longest_delay` samples beyond the last `max_frames` written. Control thread.
    DelayLine(int longest_delay, int max_frames)
        : ring_(std::bit_ceil(static_cast<std::size_t>(longest_delay) +
                              static_cast<std::size_t>(max_frames))) {}

    /// Samples written so far: the number of the next one.
    std::int64_t written() const noexcept { return written_; }

    void write(const float* in, int frames) noexcept {
        const std::size_t at = index(written_), straight = std::min(ring_.size() - at, std::size_t(frames));
        std::copy_n(in, straight, ring_.data() + at);
        std::copy_n(in + straight, static_cast<std::size_t>(frames) - straight, ring_.data());
        written_ += frames;
    }

    /// REQUIRES: `number` is below written(), and the ring still holds it.
    float at(std::int64_t number) const noexcept { return number < 0 ? 0.f : ring_[index(number)]; }

    /// Samples first .. first + frames - 1.
    void read(std::int64_t first, int frames, float* out) const noexcept {
        for (; first < 0 && frames > 0; ++first, --frames) *out++ = 0.f;
        const std::size_t at = index(first), straight = std::min(ring_.size() - at, std::size_t(frames));
        std::copy_n(ring_.data() + at, straight, out);
        std::copy_n(ring_.data(), static_cast<std::size_t>(frames) - straight, out + straight);
    }

    void list_state(StateList& list) {
        list.add(written_);
        list.add_first(written_, ring_);
    }

private:
    std::size_t index(std::int64_t number) const noexcept {
        return static_cast<std::size_t>(number) & (ring_.size() - 1);
    }

    std::vector<float> ring_;
    std::int64_t written_ = 0;
};

}  // namespace gainstage
