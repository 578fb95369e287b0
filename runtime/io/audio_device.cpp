#include "runtime/io/audio_device.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "runtime/io/quiet_stderr.hpp"
#include "runtime/io/rtaudio_bridge.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

/// All that there is where the API asked for has nothing: the message then says what has.
AudioDevices devices_for(const AudioRequest& request) {
    const std::vector<std::string> apis = compiled_audio_apis();
    if (request.api.empty()) return list_audio_devices();
    if (std::find(apis.begin(), apis.end(), request.api) == apis.end())
        throw DeviceError(fmt::format("there is no audio API \"{}\" here; there is: {}", request.api,
                                      fmt::join(apis, ", ")));
    AudioDevices devices = list_audio_devices(request.api);
    return devices.empty() ? list_audio_devices() : devices;
}

}  // namespace

class AudioDevice::Backend {
public:
    Backend(AudioDevice& device, const std::string& api)
        : device_(device), audio_(RtAudio::getCompiledApiByName(api)) {
        keep_quiet(audio_);
    }

    void open(const ChosenDevice&, const AudioRequest&);
    void start(AudioCallback, void* context);
    void stop();
    bool is_running() const { return audio_.isStreamOpen() && audio_.isStreamRunning(); }

private:
    static int on_block(void* out, void* in, unsigned frames, double, RtAudioStreamStatus status, void* self);
    void play(void* out, void* in, unsigned frames, RtAudioStreamStatus status) noexcept;
    AudioFormat format_of(const ChosenDevice&, const AudioRequest&, unsigned frames);
    bool must_abort() const;
    void wait_until_closed();

    AudioDevice& device_;
    RtAudio audio_;
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
    std::vector<const float*> in_;
    std::vector<float*> out_;
};

/// JACK ends its threads by cancelling them wherever they are, which unwinds the stack: not through what
/// can't be unwound, nor in the middle of a block.
int AudioDevice::Backend::on_block(void* out, void* in, unsigned frames, double, RtAudioStreamStatus status,
                                   void* self) {
    int before = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    static_cast<Backend*>(self)->play(out, in, frames, status);
    pthread_setcancelstate(before, nullptr);
    return 0;
}

void AudioDevice::Backend::play(void* out, void* in, unsigned frames, RtAudioStreamStatus status) noexcept {
    // Not interleaved: RtAudio hands over one channel after the other.
    for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = static_cast<const float*>(in) + c * frames;
    for (std::size_t c = 0; c < out_.size(); ++c) out_[c] = static_cast<float*>(out) + c * frames;
    callback_(context_, in_.data(), out_.data(), static_cast<int>(frames),
              (status & RTAUDIO_INPUT_OVERFLOW) != 0, (status & RTAUDIO_OUTPUT_UNDERFLOW) != 0);
    device_.count_callback();
}

void AudioDevice::Backend::open(const ChosenDevice& chosen, const AudioRequest& request) {
    const QuietStderr quiet;
    RtAudio::StreamParameters in, out;
    const ProbedDevices probed = probe_devices(audio_, chosen.out ? chosen.out->api : chosen.in->api);
    if (chosen.in) in.deviceId = probed.id_of(*chosen.in);
    if (chosen.out) out.deviceId = probed.id_of(*chosen.out);
    in.nChannels = static_cast<unsigned>(request.in_channels);
    out.nChannels = static_cast<unsigned>(request.out_channels);

    RtAudio::StreamOptions options;
    options.flags = RTAUDIO_NONINTERLEAVED;
    if (request.priority > 0) options.flags |= RTAUDIO_SCHEDULE_REALTIME;
    if (!request.connect) options.flags |= RTAUDIO_JACK_DONT_CONNECT;
    options.priority = request.priority;
    options.numberOfBuffers = 3;  // what USB interfaces need; JACK and PulseAudio have their own
    options.streamName = request.stream_name;

    auto frames = static_cast<unsigned>(request.block_frames);
    const AudioDeviceInfo& named = *(chosen.out ? chosen.out : chosen.in);
    checked(audio_, fmt::format("audio device \"{}\" ({}) does not open: ", named.name, named.api), [&] {
        return audio_.openStream(chosen.out ? &out : nullptr, chosen.in ? &in : nullptr, RTAUDIO_FLOAT32,
                                 static_cast<unsigned>(chosen.rate_hz), &frames, &on_block, this, &options);
    });
    device_.format_ = format_of(chosen, request, frames);
    in_.resize(chosen.in ? in.nChannels : 0);
    out_.resize(chosen.out ? out.nChannels : 0);
}

AudioFormat AudioDevice::Backend::format_of(const ChosenDevice& chosen, const AudioRequest& request,
                                            unsigned frames) {
    const AudioDeviceInfo& named = *(chosen.out ? chosen.out : chosen.in);
    const bool two = chosen.in && chosen.out && chosen.in->name != chosen.out->name;
    return {.api = named.api,
            .name = two ? fmt::format("{} -> {}", chosen.in->name, chosen.out->name) : named.name,
            .in_channels = chosen.in ? request.in_channels : 0,
            .out_channels = chosen.out ? request.out_channels : 0,
            .rate_hz = static_cast<int>(audio_.getStreamSampleRate()),
            .block_frames = static_cast<int>(frames),
            .latency_frames = static_cast<int>(audio_.getStreamLatency())};
}

void AudioDevice::Backend::start(AudioCallback callback, void* context) {
    callback_ = callback;
    context_ = context;
    checked(audio_, fmt::format("audio device \"{}\" does not start: ", device_.format_.name), [&] {
        const QuietStderr quiet;
        return audio_.startStream();
    });
}

/// RtAudio's orderly stop waits for a callback, and for JACK without holding the lock that this takes: the
/// signal can be missed, and when JACK's block size was changed or its server hangs, no callback ever comes.
bool AudioDevice::Backend::must_abort() const {
#ifdef GAINSTAGE_TSAN
    return true;
#else
    if (device_.format_.api == "jack") return true;
    const std::uint64_t before = device_.callbacks();
    for (int k = 0; k < 50 && device_.callbacks() == before; ++k) std::this_thread::sleep_for(10ms);
    return device_.callbacks() == before;
#endif
}

/// When a JACK server dies, RtAudio closes the stream from a thread of its own.
void AudioDevice::Backend::wait_until_closed() {
    for (int k = 0; k < 50 && audio_.isStreamOpen(); ++k) std::this_thread::sleep_for(10ms);
}

void AudioDevice::Backend::stop() {
    if (!audio_.isStreamOpen() || !callback_) return;
    if (!audio_.isStreamRunning()) return wait_until_closed();
    const bool abort = must_abort();
    const QuietStderr quiet;
    if (abort)
        audio_.abortStream();
    else
        audio_.stopStream();
    callback_ = nullptr;
}

AudioDevice::AudioDevice(const AudioRequest& request) {
    const AudioDevices devices = devices_for(request);
    const ChosenDevice chosen = choose_device(devices, request);
    backend_ = std::make_unique<Backend>(*this, chosen.out ? chosen.out->api : chosen.in->api);
    backend_->open(chosen, request);
}

AudioDevice::~AudioDevice() {
    stop();
}

void AudioDevice::start(AudioCallback callback, void* context) {
    backend_->start(callback, context);
}

void AudioDevice::stop() noexcept {
    try {
        backend_->stop();
    } catch (const std::exception&) {
        // RtAudio 5 throws when the stream was closed in the meantime: then it has stopped.
    }
}

bool AudioDevice::is_running() const noexcept {
    return backend_->is_running();
}

}  // namespace gainstage
