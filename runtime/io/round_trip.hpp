#pragma once
/// Plays a chirp on an output and records what comes back on an input, in one callback.

#include <atomic>
#include <vector>

#include "runtime/io/audio_stream.hpp"

namespace gainstage {

/// One take after another, each with its own level. The control thread makes a take and reads what was heard
/// when it is over; in between both belong to the audio thread.
class RoundTrip {
public:
    /// Channels counted from 0, as the stream has them. A take lasts as long as the chirp and `patience_s`.
    RoundTrip(std::vector<float> chirp, int in_channel, int in_channels, int out_channel, int out_channels,
              double rate_hz, double patience_s = 1.);
    RoundTrip(const RoundTrip&) = delete;
    RoundTrip& operator=(const RoundTrip&) = delete;

    // control thread
    /// REQUIRES: no take runs.
    void begin_take(float amplitude);
    bool is_over() const noexcept { return !running_.load(std::memory_order_acquire); }
    /// From the first sample of the chirp on. REQUIRES: is_over().
    const std::vector<float>& heard() const noexcept { return heard_; }
    const std::vector<float>& chirp() const noexcept { return chirp_; }

    /// Audio thread; an AudioCallback, `self` points to a RoundTrip.
    static void play(void* self, const AudioBlock&);

private:
    void play(const AudioBlock&) noexcept GAINSTAGE_REALTIME;

    const std::vector<float> chirp_;
    const int in_channel_, in_channels_, out_channel_, out_channels_;
    std::vector<float> heard_;
    float amplitude_ = 0.f;
    std::size_t position_ = 0;
    std::atomic<bool> running_{false};
};

}  // namespace gainstage
