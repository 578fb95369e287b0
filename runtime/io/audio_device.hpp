#pragma once
/// The audio hardware through RtAudio (5.2 and 6), which plays every input one period late.

#include <memory>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// What RtAudio is asked is given some seconds: a server that hangs does not hang the program.
class AudioDevice final : public AudioStream {
public:
    /// Opens input and output at one rate. Without an API it tries those that have no door of our own;
    /// `others` are named in messages. Throws DeviceError, and never opens another device than the one that
    /// was asked for.
    explicit AudioDevice(const AudioRequest&, const AudioDevices& others = {});
    ~AudioDevice() override;

    void start(AudioCallback, void* context) override;
    void stop() noexcept override;
    bool is_running() const noexcept override;

private:
    bool must_abort() const;
    void give_up() noexcept;

    class Backend;
    std::shared_ptr<Backend> backend_;
    bool started_ = false;
};

}  // namespace gainstage
