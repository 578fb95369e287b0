#pragma once
/// What the engine hears, as a sound file: a rehearsal's dry input, from the stream's first sample on.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/sound_file.hpp"
#include "runtime/realtime/input_tap.hpp"

namespace gainstage {

/// Reads the input from the tap that the audio thread fills, and writes it to a 32-bit float WAV. What the
/// tap lost (a disk that hangs) is silence of the same length. The writer's thread.
class InputRecorder {
public:
    /// The tap holds so much: longer than a slow disk pauses.
    static constexpr int ring_seconds = 10;

    /// The tap must outlive the recorder. Throws WriteError.
    InputRecorder(const std::string& file, InputTap& tap, int rate_hz);

    /// Writes what has come. Throws WriteError once, when the disk is full or the file as long as a WAV can
    /// be: what fits is in the file then, and the rest of the stream is let go.
    void drain();
    /// The same for the last time, when the stream is over; the file is in its place when this returns.
    void finish();

    /// Frames in the file. Any thread.
    std::uint64_t frames() const noexcept { return written_.load(std::memory_order_relaxed); }

private:
    void write(int frames);
    [[noreturn]] void give_up(const WriteError&);

    InputTap& tap_;
    std::unique_ptr<SoundWriter> writer_;  // null: finished, or failed
    std::vector<std::vector<float>> buffer_;
    std::vector<float*> channels_;
    std::atomic<std::uint64_t> written_{0};
};

}  // namespace gainstage
