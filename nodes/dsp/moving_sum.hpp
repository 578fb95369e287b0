#pragma once
/// The sum of the last `length` values, in whole numbers: it never drifts, however long it runs.

#include <algorithm>
#include <cstdint>
#include <vector>

namespace gainstage {

class MovingSum {
public:
    /// Control thread. Starts as if all earlier values had been `value`. REQUIRES: length >= 1.
    MovingSum(int length, std::int64_t value) : past_(static_cast<std::size_t>(length)) { fill(value); }

    /// Audio thread.
    std::int64_t tick(std::int64_t value) noexcept {
        std::int64_t& oldest = past_[now_];
        sum_ += value - oldest;
        oldest = value;
        if (++now_ == static_cast<int>(past_.size())) now_ = 0;
        return sum_;
    }
    void fill(std::int64_t value) noexcept {
        std::fill(past_.begin(), past_.end(), value);
        sum_ = value * static_cast<std::int64_t>(past_.size());
    }
    /// REQUIRES: both have the same length.
    void copy(const MovingSum& other) noexcept {
        std::copy(other.past_.begin(), other.past_.end(), past_.begin());
        sum_ = other.sum_, now_ = other.now_;
    }

private:
    std::vector<std::int64_t> past_;
    std::int64_t sum_ = 0;
    int now_ = 0;
};

}  // namespace gainstage
