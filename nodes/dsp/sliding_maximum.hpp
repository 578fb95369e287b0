#pragma once
/// The largest of the last `length` samples, at the same cost for every sample.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "runtime/state_list.hpp"

namespace gainstage {

/// Works by doubling: the largest of 2 samples comes from two neighbours, that of 4 from two such pairs, and
/// so on. The last step joins two overlapping stretches into one of the exact length. Every sample takes
/// log2(length) steps, whatever the samples are. The usual monotonic queue is cheaper on average but works in
/// bursts.
class SlidingMaximum {
public:
    /// Control thread. REQUIRES: length >= 1, in samples.
    explicit SlidingMaximum(int length) {
        while (2 * doubled_ <= length) doubled_ *= 2;
        overlap_ = length - doubled_;
        past_.resize(static_cast<std::size_t>(length) - 1);
    }

    /// Audio thread. Takes the next sample (>= 0) and returns the largest of the last `length`. Samples
    /// before the first count as 0.
    float tick(float x) noexcept {
        float* ring = past_.data();
        for (int size = 1; size < doubled_; size *= 2) {
            x = join(ring[now_ & (size - 1)], x);
            ring += size;
        }
        now_ = (now_ + 1) & (doubled_ - 1);
        if (overlap_ == 0) return x;
        x = join(ring[now_overlap_], x);
        if (++now_overlap_ == overlap_) now_overlap_ = 0;
        return x;
    }

    void list_state(StateList& list) { list.add(past_, now_, now_overlap_); }

private:
    static float join(float& slot, float x) noexcept {
        const float older = slot;
        slot = x;
        return std::max(x, older);
    }

    // fixed after construction
    int doubled_ = 1;  ///< largest power of two within the length
    int overlap_ = 0;  ///< length - doubled_
    // state: a ring of 1, 2, 4 .. doubled_ / 2 samples, then one of overlap_
    std::vector<float> past_;
    int now_ = 0, now_overlap_ = 0;
};

}  // namespace gainstage
