#pragma once
/// One direction of a card, as ALSA opens it. Only for the files of this folder that are ALSA's door.

#include <alsa/asoundlib.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/audio_devices.hpp"
#include "runtime/io/sample_format.hpp"
#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Why a device does not open, with the remedy. `error`: ALSA's, negative.
std::string why_not_opened(int error);

/// Made and set up on the control thread, then used by the audio thread alone. What the latter calls returns
/// 0 or ALSA's error: a negative errno, -ECANCELED when it was asked to end.
class AlsaPcm {
public:
    /// Opens it for at least so many channels, whatever its format. Throws DeviceError.
    AlsaPcm(const AudioDeviceInfo&, snd_pcm_stream_t, int channels, int rate_hz);

    // Control thread: how it will run.
    bool offers_block(int frames) const;
    /// Of the blocks that it offers.
    int nearest_block(int frames) const;
    /// It must offer the block. The buffer is the smallest that holds `periods` blocks, or else the largest.
    /// Throws DeviceError.
    void set_up(int block_frames, int periods);
    /// Blocks that fit into its buffer.
    int periods() const noexcept { return periods_; }
    /// Number of its sound card; -1: it is not said.
    int card() const;
    snd_pcm_t* handle() const noexcept { return pcm_.get(); }

    // Audio thread.
    int prepare() noexcept;
    int start() noexcept { return snd_pcm_start(handle()); }
    void drop() noexcept { snd_pcm_drop(handle()); }
    /// Waits until a block can be read or written.
    int await_block(const std::atomic<bool>& end) noexcept;
    int read_block(const std::atomic<bool>& end) noexcept;
    int write_block(const std::atomic<bool>& end) noexcept;
    /// A block of it, without waiting.
    int write_silence() noexcept;
    /// True: it has lost sound and stands still.
    bool has_xrun() const noexcept { return snd_pcm_state(handle()) == SND_PCM_STATE_XRUN; }
    /// After the machine slept: waits until the card is awake.
    int wake(const std::atomic<bool>& end) noexcept;

    // Between the waits: the block that was read, or will be written. `channels`: not more than it was opened
    // for.
    void take(float* const* out, int channels) noexcept GAINSTAGE_REALTIME;
    void put(const float* const* in, int channels) noexcept GAINSTAGE_REALTIME;

private:
    struct Close {
        void operator()(snd_pcm_t* pcm) const noexcept { snd_pcm_close(pcm); }
    };
    struct Free {
        void operator()(snd_pcm_hw_params_t* params) const noexcept { snd_pcm_hw_params_free(params); }
    };
    using Params = std::unique_ptr<snd_pcm_hw_params_t, Free>;
    static Params empty_params();
    Params copy_of_params() const;
    /// True: `set`, which returns ALSA's error, has narrowed what the card may do.
    template <class Set>
    bool narrowed(Set set);

    [[noreturn]] void fail(const std::string& cause) const;
    std::string through_plug() const;
    void choose_access();
    void choose_format();
    void choose_channels(int wanted);
    void choose_rate(int rate_hz);
    void set_wake_up();
    void make_block();
    bool is_input() const noexcept { return stream_ == SND_PCM_STREAM_CAPTURE; }
    snd_pcm_sframes_t transfer(int done, int frames) noexcept;
    int move_block(const std::atomic<bool>& end) noexcept;
    int poll_once() noexcept;
    int error_of_state() const noexcept;
    void doze(snd_pcm_sframes_t missing_frames) const noexcept;
    std::byte* channel(int c) noexcept;
    int step() const noexcept { return bytes_of(format_) * (interleaved_ ? channels_ : 1); }

    const std::string name_, address_;
    const snd_pcm_stream_t stream_;
    std::unique_ptr<snd_pcm_t, Close> pcm_;
    Params params_;
    bool interleaved_ = true;
    SampleFormat format_ = SampleFormat::f32;
    int channels_ = 0, rate_hz_ = 0, block_frames_ = 0, periods_ = 0;
    std::vector<std::byte> block_;  // as the card has it
    std::vector<void*> parts_;      // where a transfer goes on; not interleaved: in each channel
};

}  // namespace gainstage
