#pragma once
/// Finds an even clock in wake-ups that are late now by more, now by less.

#include <cstdint>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// A delay-locked loop of second order, as in F. Adriaensen, "Using a DLL to filter time" (2005): it predicts
/// when the next block begins, and corrects the prediction and the length of a block by small parts of the
/// error. Its time is later than the true one by what wake-ups are late on average. Audio thread.
class DelayLockedLoop {
public:
    explicit DelayLockedLoop(double rate_hz) noexcept : rate_hz_(rate_hz) {}

    /// From the next block on it knows nothing but the rate.
    void begin_anew() noexcept GAINSTAGE_REALTIME { blocks_ = 0; }
    /// A block of `frames` frames, as many as the one before. `clock_ns`: when the thread woke up for it.
    void add(std::int64_t clock_ns, int frames) noexcept GAINSTAGE_REALTIME;

    bool has_begun() const noexcept GAINSTAGE_REALTIME { return blocks_ > 0; }
    /// Seconds by which a wake-up at this time is later than the next block is expected. REQUIRES: has begun.
    double error_s(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME;
    /// Samples from the beginning of the latest block to this instant; negative: it was before. REQUIRES: has
    /// begun.
    double samples_to(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME;

private:
    double since_origin_s(std::int64_t clock_ns) const noexcept GAINSTAGE_REALTIME {
        return static_cast<double>(clock_ns - origin_ns_) * 1e-9;
    }
    double bandwidth() const noexcept GAINSTAGE_REALTIME;

    const double rate_hz_;
    std::int64_t origin_ns_ = 0;
    std::uint64_t blocks_ = 0;
    int frames_ = 0;
    double block_s_ = 0.,
           next_block_s_ = 0.;  // when the latest block began and the next one will, from origin
    double length_s_ = 0.;      // of a block
};

}  // namespace gainstage
