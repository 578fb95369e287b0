#include "runtime/realtime/arrival_clock.hpp"

#include <algorithm>
#include <cmath>

namespace gainstage {

/// So far from its time no thread wakes up by accident: the grid of the blocks is another one.
bool ArrivalClock::has_stalled(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME {
    constexpr double stall_s = 0.02, stall_blocks = 2.;
    return std::abs(loop_.error_s(clock_ns)) > std::max(stall_s, stall_blocks * frames_ / rate_hz_);
}

void ArrivalClock::begin_block(int frames, std::int64_t clock_ns,
                               bool lost_sound) noexcept GAINSTAGE_REALTIME {
    if (lost_sound || frames != frames_ || (loop_.has_begun() && has_stalled(clock_ns))) loop_.begin_anew();
    frames_ = frames;
    loop_.add(clock_ns, frames);
}

double ArrivalClock::due_in(std::int64_t arrival_ns) const noexcept GAINSTAGE_REALTIME {
    return loop_.samples_to(arrival_ns) + delay();
}

}  // namespace gainstage
