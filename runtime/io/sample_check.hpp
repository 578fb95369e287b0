#pragma once
/// What stands in a floating-point sound file, where anything can stand.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "runtime/io/sound_reader.hpp"

namespace gainstage {

/// Looks at all samples of a file, piece by piece.
class SampleCheck {
public:
    void look(const float* samples, std::int64_t count, std::int64_t first_frame, int channels) {
        if (look_at_usual(samples, count)) return;
        for (std::int64_t k = 0; k < count; ++k) {
            const float x = samples[k];
            if (!std::isfinite(x)) {
                if (no_numbers_++ == 0) first_no_number_ = first_frame + k / channels;
                continue;
            }
            if (x == 0.f) continue;
            const float size = std::abs(x);
            peak_ = std::max(peak_, size);
            ++sounding_;
            if (!is_sound(x) && beyond_sound_++ == 0) first_beyond_sound_ = first_frame + k / channels;
            far_beyond_ += size > far_beyond_full_scale;
            all_whole_ = all_whole_ && size == std::floor(size);
        }
    }
    std::int64_t no_numbers() const { return no_numbers_; }
    std::int64_t first_no_number() const { return first_no_number_; }
    /// Finite samples that no sound has.
    std::int64_t beyond_sound() const { return beyond_sound_; }
    std::int64_t first_beyond_sound() const { return first_beyond_sound_; }
    /// Neither sound nor integers, and not a damaged place alone.
    bool is_no_sound() const {
        return peak_ > largest_integer && beyond_sound_ >= enough && 4 * beyond_sound_ >= sounding_;
    }
    /// Whole numbers above full scale, or a level that no floating-point sound has but a 16-bit integer does.
    bool looks_like_integers() const {
        if (peak_ > largest_integer) return false;
        return (all_whole_ && sounding_ >= enough && peak_ >= loudest_whole) || far_beyond_ >= enough;
    }
    float peak() const { return peak_; }

private:
    static constexpr float far_beyond_full_scale = 1000.f;  // +60 dBFS
    static constexpr float loudest_whole = 16.f;            // a square wave of 1 or 2 is whole, too
    static constexpr float largest_integer = 2147483648.f;
    static constexpr std::int64_t enough = 100;

    /// Most pieces hold nothing to tell, which a pass of vector instructions finds out. False: it does, and
    /// nothing was noted.
    bool look_at_usual(const float* samples, std::int64_t count) {
        std::int32_t largest = 0, sounding = 0;
        for (std::int64_t k = 0; k < count; ++k) {
            // Without their sign, floats are in the order of their bits; those of NaN are the largest.
            const std::int32_t bits = std::bit_cast<std::int32_t>(samples[k]) & 0x7fff'ffff;
            largest = std::max(largest, bits);
            sounding += bits != 0;
        }
        if (largest > std::bit_cast<std::int32_t>(far_beyond_full_scale)) return false;
        peak_ = std::max(peak_, std::bit_cast<float>(largest));
        sounding_ += sounding;
        for (std::int64_t k = 0; k < count && all_whole_; ++k)
            all_whole_ = samples[k] == std::floor(samples[k]);
        return true;
    }

    std::int64_t no_numbers_ = 0, first_no_number_ = 0, sounding_ = 0, far_beyond_ = 0;
    std::int64_t beyond_sound_ = 0, first_beyond_sound_ = 0;
    bool all_whole_ = true;
    float peak_ = 0.f;
};

}  // namespace gainstage
