#pragma once
/// The median of a stream of measurements, without keeping them.

#include <atomic>
#include <cstdint>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Steps up or down by a share of itself at each measurement: large steps at first, 1.5 % in the end. A rare
/// outlier, such as a block in which another program held the processor, moves it by one step only.
class RunningMedian {
public:
    /// One thread at a time. `measured` >= 0.
    void add(float measured) noexcept GAINSTAGE_REALTIME {
        constexpr std::uint32_t finest = 64;
        const float now = value_.load(std::memory_order_relaxed);
        if (count_ < finest) ++count_;
        const float step = 1.f + 1.f / static_cast<float>(count_);
        const float next = count_ == 1 || now <= 0.f ? measured : measured > now ? now * step : now / step;
        value_.store(next, std::memory_order_relaxed);
    }
    /// Any thread. 0: nothing was measured.
    float value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<float> value_{0.f};
    std::uint32_t count_ = 0;
};

}  // namespace gainstage
