#pragma once
/// What plays blocks of sound in time: an audio device, or a clock without one.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "runtime/io/midi_port.hpp"
#include "runtime/io/port_connection.hpp"
#include "runtime/nonblocking.hpp"
#include "runtime/realtime/audio_block.hpp"

namespace gainstage {

/// Audio thread. Plays one block.
using AudioCallback = void (*)(void* context, const AudioBlock&);

/// What was opened; not always what was asked for.
struct AudioFormat {
    std::string api = {};   ///< "jack", "alsa", ...; "null" without a device
    std::string name = {};  ///< of the device; two names where input and output are not the same
    int in_channels = 0, out_channels = 0;
    int rate_hz = 48'000;
    int block_frames = 128;   ///< frames of every callback, as long as the driver doesn't change them
    int latency_frames = 0;   ///< input to output with this block, as far as the driver tells; 0: it does not
    int hidden_frames = 0;    ///< on top: an API that hands over the input of the block before
    std::string remark = {};  ///< what the player asked for and did not get; empty: nothing
};

/// Opened by its constructor, silent until start(). Everything but the callback belongs to the control
/// thread.
class AudioStream {
public:
    AudioStream() = default;
    AudioStream(const AudioStream&) = delete;
    AudioStream& operator=(const AudioStream&) = delete;
    virtual ~AudioStream() = default;

    const AudioFormat& format() const noexcept { return format_; }

    /// From now on the callback is called. Throws DeviceError.
    virtual void start(AudioCallback, void* context) = 0;
    /// When it returns, the callback is over for good. What sounds is cut off: fade out first. Waits some
    /// seconds at most.
    virtual void stop() noexcept = 0;
    /// The driver or its server did not answer, and was left to itself; the program should end soon.
    bool was_given_up() const noexcept { return given_up_; }
    /// False once the driver has closed the stream (its server died, the device was pulled).
    virtual bool is_running() const noexcept = 0;
    /// Why the driver has closed it, and what to do; empty: it does not say.
    virtual std::string end_cause() const { return {}; }
    /// AudioFormat::latency_frames now; a driver may change it with its blocks.
    virtual int latency_frames() const noexcept { return format_.latency_frames; }
    /// Frames of a callback as the driver has them now: it may change them while the stream plays.
    virtual int period_frames() const noexcept { return format_.block_frames; }
    /// False: the driver does not keep time now and waits for its clients, however long (JACK's freewheel).
    virtual bool keeps_time() const noexcept { return true; }
    /// For so long, and four blocks, a driver that works may call nobody.
    virtual std::chrono::seconds longest_pause() const noexcept { return std::chrono::seconds(1); }

    /// The driver's own MIDI, whose messages come with the blocks; null: it has none.
    virtual std::shared_ptr<StreamMidi> midi() noexcept { return nullptr; }
    /// The patch delays sound by so many samples from input to output: for other programs that ask the
    /// driver. Waits some seconds at most.
    virtual void declare_latency(int samples) { static_cast<void>(samples); }
    /// What its ports are connected to, and were when a program at the other end went, or the server. What
    /// somebody has disconnected is not among it. Asks the driver only where that has told of a change; then
    /// it waits some seconds at most, and connects again what has come back. Ask regularly: after its server
    /// has gone, a stream knows what it last saw. Empty: the driver has no such ports.
    virtual PortConnections connections() { return {}; }

    /// Blocks played since start. Any thread; what they wrote is then to be seen.
    std::uint64_t callbacks() const noexcept { return callbacks_.load(std::memory_order_acquire); }
    using Clock = std::chrono::steady_clock;
    /// Not every driver says when a device is gone: true when no block has come for longer than it may pause.
    /// Ask regularly; a program that was itself stopped meanwhile has not looked, and does not count that.
    bool has_stalled(Clock::time_point now = Clock::now()) noexcept {
        return has_paused(longest_pause(), now);
    }
    /// The same for a caller of another patience.
    bool has_paused(std::chrono::seconds pause, Clock::time_point now = Clock::now()) noexcept {
        const std::uint64_t count = callbacks();
        if (count != seen_callbacks_ || looks_ == 0 || !keeps_time()) {
            seen_callbacks_ = count;
            seen_at_ = now;
            looks_ = 0;
        }
        const auto blocks = std::chrono::milliseconds(4'000 * period_frames() / format_.rate_hz);
        return ++looks_ > enough_looks && now - seen_at_ > pause + blocks;
    }

protected:
    void count_callback() noexcept GAINSTAGE_REALTIME { callbacks_.fetch_add(1, std::memory_order_release); }

    AudioFormat format_;
    bool given_up_ = false;

private:
    static constexpr int enough_looks = 10;
    std::atomic<std::uint64_t> callbacks_{0};
    std::uint64_t seen_callbacks_ = 0;
    int looks_ = 0;
    Clock::time_point seen_at_{};
};

}  // namespace gainstage
