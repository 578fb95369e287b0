#pragma once
/// When a worker polls for work, and when it sleeps.

#include <algorithm>
#include <cstdint>

namespace gainstage {

/// A worker polls only while it can expect work. Otherwise it sleeps by its own clock, so that nobody has to
/// wake it. All times in ticks, see read_ticks().
struct Pace {
    std::uint64_t period = 0;  ///< of the device's blocks; 0: none, blocks follow each other (offline)
    std::uint64_t ms = 1;      ///< ticks of a millisecond

    /// How long to sleep from `now`; 0: poll. `begun`: when the latest block began; `playing`: it still
    /// plays.
    std::uint64_t nap(std::uint64_t now, std::uint64_t begun, bool playing) const noexcept {
        const std::uint64_t since = now > begun ? now - begun : 0;
        return period ? nap_between_blocks(since, playing) : nap_offline(since, playing);
    }

private:
    /// Polls at most a quarter of each period before the block is due, and five eighths while it plays. That
    /// leaves at least an eighth to the rest of the machine. If no block comes, it polls for a quarter of the
    /// period eight times; then the stream stands still.
    std::uint64_t nap_between_blocks(std::uint64_t since, bool playing) const noexcept {
        if (since >= 8 * period) return std::max(period, 10 * ms);
        const std::uint64_t phase = since % period;
        if (phase >= period - period / 4) return 0;
        if (since < period ? playing && phase < period / 8 * 5 : phase < period / 4) return 0;
        return period - period / 4 - phase;
    }

    std::uint64_t nap_offline(std::uint64_t since, bool playing) const noexcept {
        if (playing || since < 2 * ms) return 0;
        return std::clamp(since / 8, ms / 5, 10 * ms);
    }
};

}  // namespace gainstage
