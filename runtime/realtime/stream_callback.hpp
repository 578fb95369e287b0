#pragma once
/// What the driver calls for every block: the door between an audio stream and the room.

#include <atomic>
#include <cstdint>

#include "runtime/realtime/audio_block.hpp"
#include "runtime/realtime/audio_room.hpp"
#include "runtime/realtime/input_tap.hpp"

namespace gainstage {

/// Plays a stream's blocks in the room, and hands its input to the tap.
class StreamCallback {
public:
    /// The room and the tap must outlive the stream. `tap`: null where nobody records.
    StreamCallback(AudioRoom& room, InputTap* tap, int in_channels, int out_channels)
        : room_(room), tap_(tap), in_channels_(in_channels), out_channels_(out_channels) {}
    StreamCallback(const StreamCallback&) = delete;
    StreamCallback& operator=(const StreamCallback&) = delete;

    /// Audio thread; an AudioCallback, `self` points to a StreamCallback. The thread's first call also
    /// touches its stack.
    static void play(void* self, const AudioBlock&);

    /// Blocks before which the driver lost sound, on its way in or out or both. Any thread.
    std::uint64_t xruns() const noexcept { return xruns_.load(std::memory_order_relaxed); }
    /// While the driver freewheels, blocks wait until this is false again: whoever writes the take is behind.
    /// Any thread.
    void hold(bool is_behind) noexcept { is_held_.store(is_behind, std::memory_order_relaxed); }

private:
    void wait_for_room(int frames) const;

    AudioRoom& room_;
    InputTap* const tap_;
    const int in_channels_, out_channels_;
    std::atomic<std::uint64_t> xruns_{0};
    std::atomic<bool> is_held_{false};
};

}  // namespace gainstage
