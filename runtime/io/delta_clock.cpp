#include "runtime/io/delta_clock.hpp"

#include <algorithm>
#include <cmath>

namespace gainstage {

namespace {

/// Two clocks of one machine run apart by less.
constexpr double most_drift = 1e-4;
/// No message waits for so long without a fault: the library's clock was set, or stood still.
constexpr std::int64_t most_late_ns = 250'000'000;
/// Nor does a session last for so long; as nanoseconds it is still a number.
constexpr double most_s = 1e9;

}  // namespace

void DeltaClock::begin_at(std::int64_t now_ns) noexcept {
    has_begun_ = true;
    library_s_ = 0.;
    origin_ns_ = now_ns;
}

std::int64_t DeltaClock::arrival_ns(double delta_s, std::int64_t now_ns) noexcept {
    library_s_ += delta_s;
    if (!has_begun_ || !(std::abs(library_s_) < most_s)) begin_at(now_ns);
    const auto library_ns = static_cast<std::int64_t>(library_s_ * 1e9);
    origin_ns_ += static_cast<std::int64_t>(static_cast<double>(now_ns - seen_ns_) * most_drift);
    origin_ns_ = std::min(origin_ns_, now_ns - library_ns);
    seen_ns_ = now_ns;
    if (now_ns - (origin_ns_ + library_ns) > most_late_ns) begin_at(now_ns);
    arrived_ns_ = std::clamp(origin_ns_ + static_cast<std::int64_t>(library_s_ * 1e9),
                             std::min(arrived_ns_, now_ns), now_ns);
    return arrived_ns_;
}

}  // namespace gainstage
