#pragma once
/// To which sample a message belongs that reached the machine at some instant.

#include <cstdint>

#include "runtime/realtime/delay_locked_loop.hpp"

namespace gainstage {

/// A message is due one block and 2 ms after the sample that was played when it arrived: a block, because it
/// may have missed the latest one; 2 ms, because threads are late. The distances of messages stay what they
/// were, however late the audio thread wakes up. Audio thread.
class ArrivalClock {
public:
    static constexpr double margin_s = 0.002;

    explicit ArrivalClock(double rate_hz) noexcept : rate_hz_(rate_hz), loop_(rate_hz) {}

    /// A block begins. `clock_ns`: steady clock; `lost_sound`: the driver lost some before it. After that, a
    /// change of the size and a stall the clock begins anew.
    void begin_block(int frames, std::int64_t clock_ns, bool lost_sound) noexcept GAINSTAGE_REALTIME;
    /// Samples from the beginning of the block to the sample at which a message of this instant is due;
    /// negative: that is over.
    double due_in(std::int64_t arrival_ns) const noexcept GAINSTAGE_REALTIME;
    /// The constant from arrival to effect, in samples.
    double delay() const noexcept GAINSTAGE_REALTIME { return frames_ + margin_s * rate_hz_; }

private:
    bool has_stalled(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME;

    const double rate_hz_;
    DelayLockedLoop loop_;
    int frames_ = 0;
};

}  // namespace gainstage
