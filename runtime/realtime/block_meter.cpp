#include "runtime/realtime/block_meter.hpp"

#include <algorithm>

#include "runtime/four.hpp"

namespace gainstage {

namespace {

/// This thread is the only writer, so no other may come between load and store.
void raise(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

void raise_peak(std::atomic<float>& peak, const float* sound, int frames) noexcept {
    peak.store(peak_of(sound, frames, peak.load(std::memory_order_relaxed)), std::memory_order_relaxed);
}

}  // namespace

BlockMeter::BlockMeter(double sample_rate_hz) : ticks_per_sample_(ticks_per_second() / sample_rate_hz) {}

void BlockMeter::add(const PlayedBlock& block) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < std::min(block.in_channels, RoomStats::metered_channels); ++c)
        raise_peak(stats_.in_peak[c], block.in[c], block.frames);
    for (int c = 0; c < std::min(block.out_channels, RoomStats::metered_channels); ++c)
        raise_peak(stats_.out_peak[c], block.out[c], block.frames);
    const auto load =
        static_cast<float>(static_cast<double>(block.ticks) / (ticks_per_sample_ * block.frames));
    raise(stats_.blocks, 1);
    raise(stats_.frames, static_cast<std::uint64_t>(block.frames));
    stats_.load.store(load, std::memory_order_relaxed);
    if (block.ticks > 0) stats_.usual_load.add(load);
    if (load > 1.f) raise(stats_.late_blocks, 1);
    if (load > stats_.worst_load_lately.load(std::memory_order_relaxed))
        stats_.worst_load_lately.store(load, std::memory_order_relaxed);
    if (load > stats_.worst_load.load(std::memory_order_relaxed)) {
        stats_.worst_load.store(load, std::memory_order_relaxed);
        stats_.worst_at.store(block.end, std::memory_order_relaxed);
    }
}

void BlockMeter::choose_timed(const Plan& plan, Piece& piece) noexcept GAINSTAGE_REALTIME {
    const int steps = static_cast<int>(plan.steps.size());
    if (&plan != plan_ || next_timed_ >= steps) next_timed_ = 0;
    plan_ = &plan;
    piece.timed_begin = next_timed_;
    piece.timed_end = next_timed_ + timed_steps_per_piece;
    next_timed_ = piece.timed_end;
}

}  // namespace gainstage
