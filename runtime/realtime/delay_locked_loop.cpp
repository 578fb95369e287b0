#include "runtime/realtime/delay_locked_loop.hpp"

#include <algorithm>
#include <numbers>

namespace gainstage {

namespace {

/// Slow enough for blocks of 4,096 frames, and fast enough for a quartz that warms up.
constexpr double bandwidth_hz = 0.1;
/// A loop that has just begun knows little, and follows faster: as a straight line through all that it has
/// seen would.
constexpr double first_bandwidth_hz = 5., line_through_all = 0.45;
/// More would make it unstable where a block is long.
constexpr double most_per_block = 0.25;

}  // namespace

/// Of the loop, in radians a block.
double DelayLockedLoop::bandwidth() const noexcept GAINSTAGE_REALTIME {
    const double length_s = frames_ / rate_hz_, seen_s = static_cast<double>(blocks_) * length_s;
    const double hz = std::max(bandwidth_hz, std::min(first_bandwidth_hz, line_through_all / seen_s));
    return std::min(2. * std::numbers::pi * hz * length_s, most_per_block);
}

void DelayLockedLoop::add(std::int64_t clock_ns, int frames) noexcept GAINSTAGE_REALTIME {
    if (blocks_ == 0) {
        origin_ns_ = clock_ns;
        frames_ = frames;
        length_s_ = frames / rate_hz_;
        block_s_ = 0.;
        next_block_s_ = length_s_;
    } else {
        const double error = error_s(clock_ns), w = bandwidth();
        block_s_ = next_block_s_;
        next_block_s_ += std::numbers::sqrt2 * w * error + length_s_;
        length_s_ += w * w * error;
    }
    ++blocks_;
}

double DelayLockedLoop::error_s(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME {
    return since_origin_s(clock_ns) - next_block_s_;
}

double DelayLockedLoop::samples_to(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME {
    return (since_origin_s(clock_ns) - block_s_) / (next_block_s_ - block_s_) * frames_;
}

}  // namespace gainstage
