#pragma once
/// How the stream is doing: peaks, load, counters.

#include <array>
#include <atomic>
#include <cstdint>

#include "runtime/realtime/plan.hpp"
#include "runtime/realtime/running_median.hpp"

namespace gainstage {

/// Written by the audio thread unless a comment says otherwise; read by any.
struct RoomStats {
    static constexpr int metered_channels = 8;
    std::atomic<std::uint64_t> blocks{0}, late_blocks{0}, frames{0};
    std::atomic<float> load{0.f}, worst_load{0.f};  ///< time used / time there was
    std::atomic<std::uint64_t> worst_at{0};         ///< stream sample
    std::atomic<float> worst_load_lately{0.f};      ///< since the reader last zeroed it
    RunningMedian usual_load;
    std::array<std::atomic<float>, metered_channels> in_peak{},
        out_peak{};                             ///< since the reader last zeroed them
    std::atomic<std::uint64_t> events_lost{0};  ///< no place on the timeline
    /// Messages of the queues that came later than their sample: see ArrivalClock.
    std::atomic<std::uint64_t> midi_late{0};
    /// Turns in which a change that was ready found the room's queue full. Control thread.
    std::atomic<std::uint64_t> swaps_postponed{0};
};

/// One block of the device: its sound, and the time that it took.
struct PlayedBlock {
    const float* const* in;
    int in_channels;
    float* const* out;
    int out_channels;
    int frames;
    std::uint64_t end;    ///< stream sample after it
    std::uint64_t ticks;  ///< of read_ticks(); 0: not measured
};

class BlockMeter {
public:
    explicit BlockMeter(double sample_rate_hz);  // control thread

    RoomStats& stats() noexcept { return stats_; }
    const RoomStats& stats() const noexcept { return stats_; }

    // audio thread
    void add(const PlayedBlock&) noexcept GAINSTAGE_REALTIME;
    /// Chooses the steps that are timed in this piece. A clock read costs twice as much as a small node, so
    /// only a few are, in turn.
    void choose_timed(const Plan&, Piece&) noexcept GAINSTAGE_REALTIME;

private:
    static constexpr int timed_steps_per_piece = 4;
    const double ticks_per_sample_;
    RoomStats stats_;
    const Plan* plan_ = nullptr;  // whose steps were timed; never read through
    int next_timed_ = 0;
};

}  // namespace gainstage
