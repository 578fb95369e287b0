#pragma once
/// Opens, starts and closes the audio stream on a thread of its own: each may take seconds.

#include <functional>
#include <memory>
#include <string>

#include "runtime/control/failure.hpp"
#include "runtime/control/inbox.hpp"
#include "runtime/control/worker.hpp"
#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// All calls: control thread; none waits. What was asked for last is over when its `done` is called, on the
/// control thread, through the inbox; only then ask for the next. declare_latency() may be called at any
/// time.
class DeviceKeeper {
public:
    /// Opens a stream; the keeper's thread. Throws DeviceError.
    using Open = std::function<std::unique_ptr<AudioStream>(const AudioRequest&)>;
    /// Why not, with the exit code; without a text: it worked.
    using Done = std::function<void(const Failure&)>;

    DeviceKeeper(Open, Inbox&);
    /// Closes the stream and waits for it.
    ~DeviceKeeper();

    void open(const AudioRequest&, Done);
    /// REQUIRES: open. The callback may come before `done` does.
    void start(AudioCallback, void* context, Done);
    /// Tells the driver how long the patch delays sound; see AudioStream. After open().
    void declare_latency(int samples);
    /// `done` is called when the callback is over for good. The device itself is closed after that.
    void close(std::function<void(bool was_given_up)> done);

    /// Something is asked for and not over: the library behind may hang.
    bool is_busy() const { return worker_.is_busy(); }
    /// What was opened. REQUIRES: opened without an error.
    const AudioFormat& format() const noexcept { return format_; }
    /// From opened to close(); else null.
    AudioStream* stream() const noexcept { return shown_; }

private:
    const Open open_;
    Inbox& inbox_;
    AudioFormat format_;                   // control thread
    AudioStream* shown_ = nullptr;         // control thread
    std::unique_ptr<AudioStream> stream_;  // the keeper's thread
    Worker worker_;                        // last: its jobs use all that is above
};

}  // namespace gainstage
