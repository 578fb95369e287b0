#pragma once
/// The sum of the last `length` values, in whole numbers: it never drifts, however long it runs.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "runtime/state_list.hpp"

namespace gainstage {

class MovingSum {
public:
    /// Control thread. Starts as if all earlier values had been `value`. REQUIRES: length >= 1.
    MovingSum(int length, std::int64_t value)
        : past_(static_cast<std::size_t>(length), value), sum_(value * length) {}

    /// Audio thread. Takes the next value and returns the sum.
    std::int64_t tick(std::int64_t value) noexcept {
        std::int64_t& oldest = past_[now_];
        sum_ += value - oldest;
        oldest = value;
        if (++now_ == static_cast<int>(past_.size())) now_ = 0;
        return sum_;
    }
    void list_state(StateList& list) { list.add(past_, sum_, now_); }

private:
    std::vector<std::int64_t> past_;
    std::int64_t sum_ = 0;
    int now_ = 0;
};

}  // namespace gainstage
