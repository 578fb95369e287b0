#pragma once
/// JACK, and PipeWire where it takes JACK's place: audio and MIDI of one period in one callback.

#include <memory>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"

namespace gainstage {

class JackClient;

/// A client of its own, with ports in_1, in_2 ... and out_1 ..., counted as patches count. What comes in is
/// played in the same period, so the patch alone delays it. The server may change the size of a period, and
/// may freewheel: the stream goes on. A server that hangs does not hang the program. What was connected by
/// hand can be made again by the next client: AudioStream::connections().
class JackDevice final : public AudioStream {
public:
    /// Throws DeviceError.
    JackDevice(const ChosenDevice&, const AudioRequest&);
    ~JackDevice() override;

    void start(AudioCallback, void* context) override;
    void stop() noexcept override;
    bool is_running() const noexcept override;
    int period_frames() const noexcept override;
    int latency_frames() const noexcept override;
    std::string end_cause() const override;
    bool keeps_time() const noexcept override;
    /// A synchronous server waits five seconds for a client that misses its turn, be it another than this
    /// one; that happens where clients come and go while the machine is busy. Its end it tells itself.
    std::chrono::seconds longest_pause() const noexcept override { return std::chrono::seconds(7); }
    std::shared_ptr<StreamMidi> midi() noexcept override;
    void declare_latency(int samples) override;
    PortConnections connections() override;

private:
    static void play(void* self, const AudioBlock&);  // the audio thread
    void give_up() noexcept;

    std::shared_ptr<JackClient> client_;
    PortConnections connections_;  // as last seen
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
    bool started_ = false;
};

/// The devices of the server; empty where none runs. Throws DeviceError where it does not answer.
AudioDevices list_jack_devices();
/// Opens a JackDevice.
std::unique_ptr<AudioStream> open_jack_device(const ChosenDevice&, const AudioRequest&);

}  // namespace gainstage
