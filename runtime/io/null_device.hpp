#pragma once
/// A clock in place of hardware: silence in, what comes out is dropped. For `run --null`, demonstrations and
/// tests.

#include <atomic>
#include <vector>

#include "runtime/io/audio_stream.hpp"
#include "runtime/io/choose_device.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

class NullDevice final : public AudioStream {
public:
    /// Channels, rate (0: 48 kHz), block and priority as asked for; no name can be wrong.
    explicit NullDevice(const AudioRequest&);
    ~NullDevice() override { stop(); }

    void start(AudioCallback, void* context) override;
    void stop() noexcept override;
    bool is_running() const noexcept override { return running_.load(); }

private:
    void play(AudioCallback, void* context);

    const int priority_;
    std::vector<float> silence_, dropped_;
    std::vector<const float*> in_;
    std::vector<float*> out_;
    std::atomic<bool> running_{false};
    Thread thread_;
};

}  // namespace gainstage
