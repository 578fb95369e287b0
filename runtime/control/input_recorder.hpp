#pragma once
/// What the engine hears, as a sound file: a rehearsal's dry input, from the stream's first sample on.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/sound_print.hpp"
#include "runtime/engine/take.hpp"
#include "runtime/io/sound_file.hpp"
#include "runtime/realtime/input_tap.hpp"

namespace gainstage {

/// Reads the input from the tap that the audio thread fills, and writes it to a 32-bit float WAV. What the
/// tap lost (a disk that hangs) is silence of the same length. The file grows as `take.unfinished.wav`, and
/// can be read at every moment: after each drain() its header is true, and once a second all is on the disk.
/// The writer's thread.
class InputRecorder {
public:
    /// The length of the tap: longer than a slow disk pauses.
    static constexpr int ring_seconds = 10;

    /// The tap must outlive the recorder. Without `may_replace` a file that has the name stays. Throws
    /// WriteError.
    InputRecorder(const std::string& file, InputTap& tap, int rate_hz, bool may_replace = true);
    /// Without finish(): what is recorded stays where it grew; nothing recorded leaves nothing.
    ~InputRecorder();
    InputRecorder(const InputRecorder&) = delete;
    InputRecorder& operator=(const InputRecorder&) = delete;

    /// Writes what has come. Throws WriteError once when the disk is full: what fits is in the file then, and
    /// the rest of the stream is let go. Throws it once, and goes on, when the disk reports a fault.
    void drain();
    /// The same for the last time, when the stream is over.
    void drain_rest();
    /// After drain_rest(). By what the file is known; none: nothing is recorded, or not all that came could
    /// be written.
    std::optional<TakeRecording> recording() const;
    /// drain_rest(), if it was not called; the file is in its place when this returns.
    /// Returns where that is: another path than the one given only if somebody has moved the folder.
    std::string finish();

    /// Where the file grows; "": it is finished.
    std::string growing() const { return writer_ ? writer_->growing() : std::string(); }

    /// Frames in the file. Any thread.
    std::uint64_t frames() const noexcept { return written_.load(std::memory_order_relaxed); }

private:
    void write(int frames);
    [[noreturn]] void give_up(const WriteError&);
    void pull();
    void update();

    const std::string file_;
    InputTap& tap_;
    std::unique_ptr<SoundWriter> writer_;  // null: finished, or failed
    std::vector<std::vector<float>> buffer_;
    std::vector<float*> channels_;
    std::chrono::steady_clock::time_point on_disk_at_{};
    bool disk_is_bad_ = false, is_deleted_ = false;  // and told
    std::atomic<std::uint64_t> written_{0};
    SoundPrint print_;  // of what is written
    bool is_over_ = false;
};

}  // namespace gainstage
