#pragma once
/// Notices an offset that stays.

#include <algorithm>
#include <cmath>

#include "runtime/four.hpp"

namespace gainstage {

/// Looks at the mean of every half second. Four in a row above -30 dBFS, of one sign, are an offset. It
/// hears what it watches and changes nothing.
class DcWatch {
public:
    explicit DcWatch(double sample_rate_hz) : period_(static_cast<int>(std::lround(0.5 * sample_rate_hz))) {}

    /// Audio thread. Takes any sound. True: `dc()` may have changed. A period ends with a block.
    bool add(const float* x, int frames) noexcept {
        const float sum = sum_of(x, frames);
        if (std::isfinite(sum)) sum_ += double{sum};
        count_ += frames;
        if (count_ < period_) return false;
        const double mean = sum_ / count_;
        sum_ = 0.;
        count_ = 0;
        const bool goes_on = mean_ * mean > 0.;
        mean_ = std::abs(mean) > threshold ? mean : 0.;
        periods_ = mean_ == 0. ? 0 : goes_on ? std::min(periods_ + 1, periods_to_tell) : 1;
        return true;
    }
    /// The latest mean, if it has been there for 2 s; else 0.
    float dc() const noexcept { return periods_ == periods_to_tell ? static_cast<float>(mean_) : 0.f; }

private:
    static constexpr double threshold = 0.0316227766;  // -30 dBFS
    static constexpr int periods_to_tell = 4;

    static float sum_of(const float* x, int frames) noexcept {
        Four a{}, b{};
        int k = 0;
        for (; k + 8 <= frames; k += 8) {
            a += load_four(x + k);
            b += load_four(x + k + 4);
        }
        a += b;
        float sum = a[0] + a[1] + a[2] + a[3];
        for (; k < frames; ++k) sum += x[k];
        return sum;
    }

    const int period_;  ///< samples
    double sum_ = 0.;
    int count_ = 0;
    double mean_ = 0.;  ///< of the latest period; 0: below the threshold
    int periods_ = 0;   ///< in a row
};

}  // namespace gainstage
