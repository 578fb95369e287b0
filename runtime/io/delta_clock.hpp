#pragma once
/// When messages arrived of which a library tells only how far they are apart.

#include <cstdint>

namespace gainstage {

/// RtMidi tells the seconds between two messages: with ALSA from the stamps of the kernel, so they are exact
/// however late its thread hands them over. No message can be handed over before it arrived. So the least
/// late one shows how the library's clock stands to ours. A port's thread.
class DeltaClock {
public:
    /// Of a message that was handed over at `now_ns`, `delta_s` seconds after the one before (0 for the first
    /// one): when it arrived, by the clock of `now_ns`. Never later than `now_ns` and never before an earlier
    /// message.
    std::int64_t arrival_ns(double delta_s, std::int64_t now_ns) noexcept;

private:
    void begin_at(std::int64_t now_ns) noexcept;

    bool has_begun_ = false;
    double library_s_ = 0.;        // since the message at which it began
    std::int64_t origin_ns_ = 0;   // of the library's clock, as the least late message shows it
    std::int64_t seen_ns_ = 0;     // when the latest message was handed over
    std::int64_t arrived_ns_ = 0;  // and when it arrived
};

}  // namespace gainstage
