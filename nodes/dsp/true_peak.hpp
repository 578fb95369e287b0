#pragma once
/// Peaks between the samples, as they will be at the output of the converter.

#include <array>
#include <span>

#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// Four-times oversampling by a polyphase FIR, as in ITU-R BS.1770-4 annex 2 but with 24 taps a phase, and a
/// parabola through every local maximum of the result. Of a tone near half the rate, four points a sample can
/// miss 0.69 dB; the parabola leaves 0.08 dB.
class TruePeak {
public:
    static constexpr int phases = 4, taps = 24;
    /// Peak k belongs to the sound around sample k - delay_samples: from a quarter of a sample before it to
    /// the next sample.
    static constexpr int delay_samples = taps / 2;
    static constexpr int max_frames = 64;

    /// Audio thread. Writes one amplitude per sample, 1..max_frames of them.
    void run(const float* in, int frames, float* peaks) noexcept GAINSTAGE_REALTIME;
    void list_state(StateList& list) { list.add(std::span(past_).first<taps - 1>(), before_, last_); }

private:
    using Points = std::array<std::array<float, max_frames>, phases>;
    void interpolate(const float* in, int frames, Points&) noexcept;

    std::array<float, taps - 1 + max_frames> past_{};  ///< the last taps - 1 samples, then the new ones
    float before_ = 0.f, last_ = 0.f;                  ///< newest two points of the oversampled sound
};

}  // namespace gainstage
