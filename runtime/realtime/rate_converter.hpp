#pragma once
/// Converts one sample rate to another, at a rational ratio, in step with the stream's count of samples.

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

struct SpeexResamplerState_;

namespace gainstage {

/// A windowed sinc (speexdsp's resampler, quality 6) that knows its place in the stream: output k is the
/// sound at input position k * from / to, delayed by delay_samples(). start() tells it which number comes
/// next. So the output depends on the stream's count and the recent input alone, never on where it began or
/// how its input was cut. Flat within 0.001 dB to 19 kHz between 44.1 kHz and 48 kHz or more, -0.8 dB at 20
/// kHz. Images and aliases of sound below 19 kHz are below -101 dB.
class RateConverter {
public:
    /// Control thread. `from` and `to`: the rates, without a common factor. `max_in_frames`: the longest
    /// piece. Throws std::bad_alloc.
    RateConverter(int from, int to, int channels, int max_in_frames);

    /// In samples of its input rate.
    int delay_samples() const noexcept { return taps_ / 2; }
    int taps() const noexcept { return taps_; }

    /// Audio thread. The next input has number `next_in`, the next output `next_out`; the remembered samples
    /// come right before `next_in`. Bounded: plays at most one period of the ratio and one length of the
    /// filter again. REQUIRES: next_in lies within a few samples of the input position of next_out.
    void start(std::int64_t next_in, std::int64_t next_out) noexcept GAINSTAGE_REALTIME;
    /// Audio thread. Takes `in_frames` and writes the next `out_frames`, per channel. REQUIRES: started; the
    /// last output lies before the end of the input.
    void convert(const float* const* in, int in_frames, float* const* out,
                 int out_frames) noexcept GAINSTAGE_REALTIME;
    /// Control thread. Lists the inputs that a start() may need; the library's own memory follows from them.
    /// REQUIRES: start() is called after the listed memory was written from outside.
    void list_state(StateList&);

private:
    struct Free {
        void operator()(SpeexResamplerState_*) const noexcept;
    };

    void append(const float* const* in, int frames) noexcept GAINSTAGE_REALTIME;
    void take(float* const* out, int frames) noexcept GAINSTAGE_REALTIME;

    // fixed after construction
    const int from_, to_;
    std::unique_ptr<SpeexResamplerState_, Free> library_;
    int taps_ = 0;  ///< of the filter, in samples of its input
    int keep_ = 0;  ///< inputs that a start() may need
    std::size_t library_bytes_ = 0;
    // audio thread
    std::vector<std::vector<float>> past_;  ///< per channel: inputs, the latest at filled_ - 1
    int filled_ = 0;
    int taken_ = 0;  ///< the library has taken the inputs before this one
    std::vector<float> discarded_;
};

}  // namespace gainstage
