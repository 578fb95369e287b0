#pragma once
/// The gain of a guard without latency: it falls at once where a peak asks for it, and comes back smoothly.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "nodes/dsp/moving_sum.hpp"
#include "nodes/dsp/sliding_maximum.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// A peak above 1 holds the gain at 1 / peak for 50 ms. The mean over the next 50 ms leads back: 100 ms after
/// the last peak above 1 the gain is exactly 1. While peaks come at least every 50 ms, as in any tone above
/// 10 Hz, the gain stands still.
class ClipGuard {
public:
    /// Control thread.
    explicit ClipGuard(double sample_rate_hz)
        : half_(std::max(1, static_cast<int>(std::lround(half_s * sample_rate_hz)))),
          highest_(half_),
          mean_(half_, unity) {}

    /// Audio thread. True: the gain is 1, and stays so for peaks up to 1. Then tick() may be left out.
    bool is_at_rest() const noexcept { return left_ == 0; }
    /// Audio thread. Takes the peak of the next frame (>= 0, finite) and returns the gain for this frame: at
    /// most 1 / peak.
    double tick(float peak) noexcept {
        if (peak > 1.f)
            left_ = 2 * half_;
        else if (left_ > 0)
            --left_;
        const float highest = highest_.tick(peak);
        const double wanted = highest > 1.f ? 1. / double{highest} : 1.;
        const std::int64_t sum = mean_.tick(static_cast<std::int64_t>(wanted * unity));
        return std::min(wanted, static_cast<double>(sum) / static_cast<double>(unity * half_));
    }
    void list_state(StateList& list) { list.add(highest_, mean_, left_); }

private:
    static constexpr double half_s = 0.05;
    static constexpr std::int64_t unity = std::int64_t{1} << 30;

    const int half_;  ///< samples of the hold, and of the way back
    SlidingMaximum highest_;
    MovingSum mean_;
    int left_ = 0;  ///< samples until the gain is 1 again and nothing of a peak is remembered
};

}  // namespace gainstage
