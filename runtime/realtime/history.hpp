#pragma once
/// The recent past of one port: what a newcomer is warmed on.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "runtime/node.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/realtime/large_array.hpp"

namespace gainstage {

/// A ring of samples addressed by stream sample. One thread writes (audio), any one other reads, without a
/// lock: samples are atomics (plain moves on x86-64), and a reader checks afterwards that nothing was
/// overwritten meanwhile.
class History {
public:
    /// Holds at least `samples` of the past beside the block being written. Control thread.
    History(int channels, std::int64_t samples)
        : channels_(channels),
          capacity_(capacity_for(samples)),
          pairs_(capacity_ / 2 * static_cast<std::uint64_t>(channels)) {}

    /// An empty one of the same size. Control thread.
    std::shared_ptr<History> twin() const {
        return std::make_shared<History>(channels_,
                                         static_cast<std::int64_t>(capacity_) - 2 * max_block_frames);
    }

    int channels() const noexcept { return channels_; }
    /// Memory of one of this size.
    static std::size_t bytes_of(int channels, std::int64_t samples) noexcept {
        return capacity_for(samples) * sizeof(float) * static_cast<std::size_t>(channels);
    }
    std::size_t bytes() const noexcept {
        return capacity_ * sizeof(float) * static_cast<std::size_t>(channels_);
    }
    /// Samples of the past that it holds at any time.
    std::int64_t keeps() const noexcept { return static_cast<std::int64_t>(capacity_) - max_block_frames; }

    /// Audio thread. `time` is the stream sample of the first frame; pieces follow each other without a gap.
    void write(const PortBuffer& sound, int offset, int frames,
               std::uint64_t time) noexcept GAINSTAGE_REALTIME {
        begin_at(time);
        for (int c = 0; c < channels_; ++c) write_channel(c, sound.channel[c] + offset, frames, time);
        end_.store(time + frames, std::memory_order_release);
    }
    /// The same for a history of one channel.
    void write(const float* sound, int frames, std::uint64_t time) noexcept GAINSTAGE_REALTIME {
        begin_at(time);
        write_channel(0, sound, frames, time);
        end_.store(time + static_cast<std::uint64_t>(frames), std::memory_order_release);
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
            const std::atomic<Pair>* from = channel(c);
            float* to = out.channel[c] + offset;
            std::uint64_t place = time % capacity_;
            for (int k = 0; k < frames; ++k) {
                to[k] = halves(from[place / 2].load(std::memory_order_acquire))[place % 2];
                if (++place == capacity_) place = 0;
            }
        }
        return time >= begin();
    }

    /// While it is held, its writer is a worker that was given up: nobody else may write. Audio thread holds,
    /// the worker lets go on its way out.
    void hold(bool held) noexcept GAINSTAGE_REALTIME { held_.store(held, std::memory_order_release); }
    bool is_held() const noexcept { return held_.load(std::memory_order_acquire); }

private:
    /// Two samples that lie side by side, written at once: half as many stores.
    using Pair = std::uint64_t;
    using Halves = std::array<float, 2>;
    static Halves halves(Pair pair) noexcept { return std::bit_cast<Halves>(pair); }

    /// Even, so that pairs stay pairs where the ring ends.
    static std::uint64_t capacity_for(std::int64_t samples) noexcept {
        return (static_cast<std::uint64_t>(samples) + 2 * max_block_frames + 1) / 2 * 2;
    }
    /// A gap ends what was there.
    void begin_at(std::uint64_t time) noexcept GAINSTAGE_REALTIME {
        if (begin_.load(std::memory_order_relaxed) == never || end_.load(std::memory_order_relaxed) != time)
            begin_.store(time, std::memory_order_relaxed);
    }

    std::atomic<Pair>* channel(int c) const noexcept {
        return pairs_.data() + static_cast<std::uint64_t>(c) * (capacity_ / 2);
    }
    void write_channel(int c, const float* from, int frames, std::uint64_t time) noexcept GAINSTAGE_REALTIME {
        std::atomic<Pair>* const pairs = channel(c);
        for (const float* const end = from + frames; from != end;) {
            const std::uint64_t place = time % capacity_;
            const std::uint64_t count =
                std::min<std::uint64_t>(static_cast<std::uint64_t>(end - from), capacity_ - place);
            if (place % 2 != 0 || count == 1) {
                write_half(pairs[place / 2], place % 2, *from++);
                ++time;
                continue;
            }
            std::atomic<Pair>* to = pairs + place / 2;
            for (const float* const whole = from + count / 2 * 2; from != whole; from += 2, ++to)
                to->store(std::bit_cast<Pair>(Halves{from[0], from[1]}), std::memory_order_release);
            time += count / 2 * 2;
        }
    }
    /// This thread is the only writer; a reader of the other half sees what it was and is.
    static void write_half(std::atomic<Pair>& pair, std::uint64_t which,
                           float sample) noexcept GAINSTAGE_REALTIME {
        Halves both = halves(pair.load(std::memory_order_relaxed));
        both[which] = sample;
        pair.store(std::bit_cast<Pair>(both), std::memory_order_release);
    }

    static constexpr std::uint64_t never = ~std::uint64_t{0};
    const int channels_;
    const std::uint64_t capacity_;
    const LargeArray<std::atomic<Pair>> pairs_;  ///< per channel, one after the other
    std::atomic<std::uint64_t> begin_{never}, end_{0};
    std::atomic<bool> held_{false};
};

}  // namespace gainstage
