#pragma once
/// Carries the input of a stream from the audio thread to whoever writes it down.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// A ring with one writer (the audio thread) and one reader. Where the ring was full, the reader gets silence
/// of the same length: every other sample stays at its place in the stream.
class InputTap {
public:
    /// Without input channels the tap carries one channel of silence, as long as the stream. Touches all its
    /// memory. Any thread.
    InputTap(int channels, int ring_frames);

    /// Audio thread. `in[channel][frame]`, the channels that the tap was made for.
    void push(const float* const* in, int frames) noexcept GAINSTAGE_REALTIME;
    /// False: push() of so many frames would lose them. Audio thread.
    bool has_room(int frames) const noexcept GAINSTAGE_REALTIME { return room() >= frames; }

    // ------------------------------------------------------------------------------ the reader's thread
    /// Channels that pop() writes: at least 1.
    int channels() const noexcept { return static_cast<int>(rings_.size()); }
    /// Writes the next frames of the stream, at most `most`, to `to[channel]`. Returns how many; 0: no more
    /// has come.
    int pop(float* const* to, int most);
    /// Call it when push() is over and pop() has returned 0: frames that were lost at the very end follow as
    /// silence.
    void end();

    /// Frames that the ring had no room for. Any thread.
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    /// Frames of the stream that are not in the ring.
    struct Gap {
        std::uint64_t at = 0, frames = 0;
    };
    using Ring = boost::lockfree::spsc_queue<float>;

    int room() const noexcept GAINSTAGE_REALTIME;
    int filling() const noexcept;
    int pop_silence(float* const* to, int most);

    std::vector<std::unique_ptr<Ring>> rings_;  // per channel, filled and emptied together
    const int input_channels_;
    boost::lockfree::spsc_queue<Gap, boost::lockfree::capacity<256>> gaps_;  // before what follows them
    std::atomic<std::uint64_t> lost_{0};

    // audio thread
    std::uint64_t now_ = 0;
    Gap open_gap_;

    // the reader
    std::uint64_t position_ = 0, silence_left_ = 0;
};

}  // namespace gainstage
