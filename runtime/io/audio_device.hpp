#pragma once
/// The audio hardware. The only door to RtAudio (5.2 and 6).

#include <memory>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

class AudioDevice final : public AudioStream {
public:
    /// Opens input and output at one rate. Throws DeviceError, and never opens another device than the one
    /// that was asked for.
    explicit AudioDevice(const AudioRequest&);
    ~AudioDevice() override;

    void start(AudioCallback, void* context) override;
    void stop() noexcept override;
    bool is_running() const noexcept override;

private:
    class Backend;
    const std::unique_ptr<Backend> backend_;
};

}  // namespace gainstage
