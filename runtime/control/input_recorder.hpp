#pragma once
/// What the engine hears, as a sound file: a rehearsal's dry input, from the stream's first sample on.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// The audio thread puts blocks into a ring, the control thread writes them to a 32-bit float WAV. Where the
/// ring was full (a disk that hangs), the file holds silence of the same length: every other sample stays at
/// its place in the stream.
class InputRecorder {
public:
    /// The ring holds so much: longer than a slow disk pauses, or a newcomer is warmed.
    static constexpr int ring_seconds = 10;

    /// Without input channels it records one of silence, as long as the stream. Throws WriteError.
    InputRecorder(const std::string& file, int channels, int rate_hz)
        : InputRecorder(file, channels, rate_hz, ring_seconds * rate_hz) {}
    InputRecorder(const std::string& file, int channels, int rate_hz, int ring_frames);

    /// Audio thread. `in[channel][frame]`, the channels that the recorder was made for.
    void push(const float* const* in, int frames) noexcept GAINSTAGE_REALTIME;

    // ------------------------------------------------------------------------------ control thread
    /// Writes what has come. Throws WriteError once, when the disk is full or the file as long as a WAV can
    /// be: what fits is in the file then, and the rest of the stream is let go.
    void drain();
    /// The same for the last time, when push() is over; the file is in its place when this returns.
    void finish();

    const std::string& file() const noexcept { return file_; }
    /// Frames in the file.
    std::uint64_t frames() const noexcept { return written_; }
    /// Frames that the ring had no room for. Any thread.
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    /// Frames of the stream that are not in the ring.
    struct Gap {
        std::uint64_t at = 0, frames = 0;
    };
    using Ring = boost::lockfree::spsc_queue<float>;

    int room() const noexcept;
    int filling() const noexcept;
    void write(int frames);
    void write_silence(std::uint64_t frames);
    [[noreturn]] void give_up(const WriteError&);

    const std::string file_;
    std::vector<std::unique_ptr<Ring>> rings_;  // per channel, filled and emptied together
    const int input_channels_;
    boost::lockfree::spsc_queue<Gap, boost::lockfree::capacity<256>> gaps_;  // before what follows them
    std::atomic<std::uint64_t> lost_{0};

    // audio thread
    std::uint64_t now_ = 0;
    Gap open_gap_;

    // control thread
    std::unique_ptr<SoundWriter> writer_;  // null: finished, or failed
    std::vector<std::vector<float>> buffer_;
    std::uint64_t position_ = 0, written_ = 0;
};

}  // namespace gainstage
