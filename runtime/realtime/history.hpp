#pragma once
/// The recent past of one port: what a newcomer is warmed on.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "runtime/node.hpp"
#include "runtime/realtime/nonblocking.hpp"

namespace gainstage {

/// A ring of samples addressed by stream sample. One thread writes (audio), any one other reads, without a
/// lock: samples are atomics (plain moves on x86-64), and a reader checks afterwards that nothing was
/// overwritten meanwhile.
class History {
public:
    /// Holds at least `samples` of the past beside the block being written. Control thread.
    History(int channels, std::int64_t samples)
        : channels_(channels),
          capacity_(std::bit_ceil(static_cast<std::uint64_t>(samples) + 2 * max_block_frames)),
          data_(std::make_unique<std::atomic<float>[]>(capacity_ * static_cast<std::uint64_t>(channels))) {}

    /// An empty one of the same size. Control thread.
    std::shared_ptr<History> twin() const {
        return std::make_shared<History>(channels_,
                                         static_cast<std::int64_t>(capacity_) - 2 * max_block_frames);
    }

    int channels() const noexcept { return channels_; }
    /// Samples of the past that it holds at any time.
    std::int64_t keeps() const noexcept { return static_cast<std::int64_t>(capacity_) - max_block_frames; }

    /// Audio thread. `time` is the stream sample of the first frame; pieces follow each other without a gap.
    void write(const PortBuffer& sound, int offset, int frames,
               std::uint64_t time) noexcept GAINSTAGE_REALTIME {
        if (begin_.load(std::memory_order_relaxed) == never || end_.load(std::memory_order_relaxed) != time)
            begin_.store(time, std::memory_order_relaxed);
        for (int c = 0; c < channels_; ++c) {
            const float* from = sound.channel[c] + offset;
            std::atomic<float>* to = data_.get() + static_cast<std::uint64_t>(c) * capacity_;
            const std::uint64_t place = time & (capacity_ - 1);
            const int first = static_cast<int>(
                std::min<std::uint64_t>(static_cast<std::uint64_t>(frames), capacity_ - place));
            for (int k = 0; k < first; ++k)
                to[place + static_cast<std::uint64_t>(k)].store(from[k], std::memory_order_release);
            for (int k = first; k < frames; ++k) to[k - first].store(from[k], std::memory_order_release);
        }
        end_.store(time + frames, std::memory_order_release);
    }

    /// One past the newest sample. Any thread.
    std::uint64_t end() const noexcept { return end_.load(std::memory_order_acquire); }
    /// The oldest sample that can still be read now. Any thread.
    std::uint64_t begin() const noexcept {
        const std::uint64_t end = end_.load(std::memory_order_acquire);
        const std::uint64_t first = begin_.load(std::memory_order_acquire);
        const std::uint64_t kept = capacity_ - max_block_frames;
        if (first == never) return end;
        return end - first > kept ? end - kept : first;
    }

    /// Copies [time, time + frames) to `out`; false if any of it was not there or was overwritten while being
    /// read.
    bool read(std::uint64_t time, int frames, const PortBuffer& out,
              int offset) const noexcept GAINSTAGE_REALTIME {
        if (time < begin() || time + frames > end()) return false;
        for (int c = 0; c < channels_; ++c) {
            const std::atomic<float>* from = data_.get() + static_cast<std::uint64_t>(c) * capacity_;
            float* to = out.channel[c] + offset;
            for (int k = 0; k < frames; ++k)
                to[k] = from[(time + k) & (capacity_ - 1)].load(std::memory_order_acquire);
        }
        return time >= begin();
    }

private:
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    const int channels_;
    const std::uint64_t capacity_;
    const std::unique_ptr<std::atomic<float>[]> data_;
    std::atomic<std::uint64_t> begin_{never}, end_{0};
};

}  // namespace gainstage
