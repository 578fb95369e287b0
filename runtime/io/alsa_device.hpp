#pragma once
/// A sound card, played through ALSA without a hidden block: a sound that comes in goes out after the periods
/// that were asked for. This file and alsa_pair, alsa_pcm and alsa_devices are the only door to libasound.

#include <memory>
#include <string>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

/// What ALSA is asked is given some seconds: a driver that hangs does not hang the program.
class AlsaDevice final : public AudioStream {
public:
    /// Opens what was chosen from list_alsa_devices(): one card, for input, output or both. Throws
    /// DeviceError.
    AlsaDevice(const ChosenDevice&, const AudioRequest&);
    ~AlsaDevice() override;

    void start(AudioCallback, void* context) override;
    void stop() noexcept override;
    bool is_running() const noexcept override;
    std::string end_cause() const override;

private:
    void give_up() noexcept;

    class Loop;
    std::shared_ptr<Loop> loop_;
};

}  // namespace gainstage
