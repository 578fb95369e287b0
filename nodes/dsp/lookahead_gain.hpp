#pragma once
/// The gain of a look-ahead limiter: a smooth curve that is low enough when each peak arrives.

#include <cmath>
#include <cstdint>

#include "nodes/dsp/moving_sum.hpp"
#include "nodes/dsp/sliding_maximum.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

/// Largest peak ahead -> the gain it needs -> exponential release -> two moving averages, together as long as
/// the look-ahead. The gain falls along an S without corners that ends just when the peak arrives. The
/// averages sum whole numbers (2^30 is a gain of 1), so at rest the gain stays exactly 1.
class LookaheadGain {
public:
    /// Control thread. Lengths in samples. The gain of a peak also holds for `margin` samples before and
    /// after it. REQUIRES: lookahead >= 1.
    LookaheadGain(int lookahead, int margin)
        : peak_(lookahead + 1 + 2 * margin),
          first_((lookahead + 2) / 2, unity),
          second_(lookahead + 2 - (lookahead + 2) / 2, first_.tick(unity)),
          full_(static_cast<double>(second_.tick(first_.tick(unity)))) {}

    /// Audio thread. Takes the newest peak and returns the gain for the sample `lookahead + margin` samples
    /// earlier: at most ceiling / peak for every peak near that sample. `remaining`: share of the reduction
    /// that is left after one sample of release.
    double tick(double peak, double ceiling, double remaining) noexcept {
        const double highest = peak_.tick(static_cast<float>(peak));
        const double wanted = highest > ceiling ? ceiling / highest : 1.;
        const double released = 1. - remaining * (1. - open_);
        open_ = std::min(wanted, released > 1. - 1e-6 ? 1. : released);  // -120 dB left: fully open
        const auto whole = static_cast<std::int64_t>(open_ * unity);
        return static_cast<double>(second_.tick(first_.tick(whole))) / full_;
    }
    void list_state(StateList& list) { list.add(peak_, open_, first_, second_); }

private:
    static constexpr std::int64_t unity = std::int64_t{1} << 30;

    SlidingMaximum peak_;
    double open_ = 1.;  ///< gain before the averages
    MovingSum first_, second_;
    double full_;  ///< the sum that means 1
};

}  // namespace gainstage
