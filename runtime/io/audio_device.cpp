#include "runtime/io/audio_device.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pthread.h>

#include <algorithm>
#include <iostream>
#include <thread>
#include <vector>

#include "runtime/io/quiet_stderr.hpp"
#include "runtime/io/rtaudio_bridge.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

#ifdef GAINSTAGE_RTAUDIO_6
struct MutedCerr {};
#else
/// When a JACK server dies, RtAudio 5 writes to std::cerr from a thread that it has just ordered to be
/// cancelled; now and then that ended the program. What is not written can't be interrupted. (Our own
/// messages go another way.)
class MutedCerr {
public:
    MutedCerr() : state_(std::cerr.rdstate()), flags_(std::cerr.flags()) {
        std::cerr.unsetf(std::ios::unitbuf);
        std::cerr.setstate(std::ios::badbit);
    }
    ~MutedCerr() {
        std::cerr.clear(state_);
        std::cerr.flags(flags_);
    }
    MutedCerr(const MutedCerr&) = delete;
    MutedCerr& operator=(const MutedCerr&) = delete;

private:
    const std::ios::iostate state_;
    const std::ios::fmtflags flags_;
};
#endif

/// The device by which the stream is called.
const AudioDeviceInfo& named(const ChosenDevice& chosen) {
    return *(chosen.out ? chosen.out : chosen.in);
}

/// The APIs that may have what is asked for.
std::vector<std::string> apis_for(const AudioRequest& request) {
    std::vector<std::string> apis = compiled_audio_apis();
    if (request.api.empty()) return apis;
    if (std::find(apis.begin(), apis.end(), request.api) == apis.end())
        throw DeviceError(fmt::format("there is no audio API \"{}\" here; there is: {}", request.api,
                                      fmt::join(apis, ", ")));
    return {request.api};
}

[[noreturn]] void fail_without_devices(const AudioRequest& request) {
    choose_device(list_audio_devices(), request);  // its message names what other APIs have
    throw DeviceError("an audio device has just appeared; try again");
}

}  // namespace

class AudioDevice::Backend {
public:
    explicit Backend(AudioDevice& device) : device_(device) {}

    void open(const AudioRequest&);
    void start(AudioCallback, void* context);
    void stop();
    bool is_running() const { return audio().isStreamOpen() && audio().isStreamRunning(); }

private:
    static int on_block(void* out, void* in, unsigned frames, double, RtAudioStreamStatus status, void* self);
    void play(void* out, void* in, unsigned frames, RtAudioStreamStatus status) noexcept;
    void open(const ChosenDevice&, const AudioRequest&);
    unsigned id_of(const AudioDeviceInfo&) const;
    AudioFormat format_of(const ChosenDevice&, const AudioRequest&, unsigned frames);
    bool must_abort() const;
    RtAudio& audio() const { return *api_.audio; }
    void wait_until_closed();

    AudioDevice& device_;
    MutedCerr muted_;
    OpenApi api_;
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

void AudioDevice::Backend::open(const AudioRequest& request) {
    std::vector<OpenApi> apis;
    AudioDevices devices;
    for (const std::string& name : apis_for(request)) {
        apis.push_back(open_api(name));
        devices.insert(devices.end(), apis.back().devices.begin(), apis.back().devices.end());
    }
    if (devices.empty()) fail_without_devices(request);
    const ChosenDevice chosen = choose_device(devices, request);
    for (OpenApi& api : apis)
        if (api.name == named(chosen).api) api_ = std::move(api);
    open(chosen, request);
}

unsigned AudioDevice::Backend::id_of(const AudioDeviceInfo& device) const {
    const auto same = [&](const AudioDeviceInfo& other) { return other.name == device.name; };
    const auto found = std::find_if(api_.devices.begin(), api_.devices.end(), same);
    return api_.ids[static_cast<std::size_t>(found - api_.devices.begin())];
}

void AudioDevice::Backend::open(const ChosenDevice& chosen, const AudioRequest& request) {
    const QuietStderr quiet;
    RtAudio::StreamParameters in, out;
    if (chosen.in) in.deviceId = id_of(*chosen.in);
    if (chosen.out) out.deviceId = id_of(*chosen.out);
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
    checked(audio(),
            fmt::format("audio device \"{}\" ({}) does not open: ", named(chosen).name, named(chosen).api),
            [&] {
                return audio().openStream(chosen.out ? &out : nullptr, chosen.in ? &in : nullptr,
                                          RTAUDIO_FLOAT32, static_cast<unsigned>(chosen.rate_hz), &frames,
                                          &on_block, this, &options);
            });
    device_.format_ = format_of(chosen, request, frames);
    in_.resize(chosen.in ? in.nChannels : 0);
    out_.resize(chosen.out ? out.nChannels : 0);
}

AudioFormat AudioDevice::Backend::format_of(const ChosenDevice& chosen, const AudioRequest& request,
                                            unsigned frames) {
    const bool two = chosen.in && chosen.out && chosen.in->name != chosen.out->name;
    return {.api = named(chosen).api,
            .name = two ? fmt::format("{} -> {}", chosen.in->name, chosen.out->name) : named(chosen).name,
            .in_channels = chosen.in ? request.in_channels : 0,
            .out_channels = chosen.out ? request.out_channels : 0,
            .rate_hz = static_cast<int>(audio().getStreamSampleRate()),
            .block_frames = static_cast<int>(frames),
            .latency_frames = static_cast<int>(audio().getStreamLatency())};
}

void AudioDevice::Backend::start(AudioCallback callback, void* context) {
    callback_ = callback;
    context_ = context;
    checked(audio(), fmt::format("audio device \"{}\" does not start: ", device_.format_.name), [&] {
        const QuietStderr quiet;
        return audio().startStream();
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

/// When a JACK server dies, RtAudio closes the stream from a thread of its own, and must not be destroyed
/// before.
void AudioDevice::Backend::wait_until_closed() {
    for (int k = 0; k < 500 && audio().isStreamOpen(); ++k) std::this_thread::sleep_for(10ms);
}

void AudioDevice::Backend::stop() {
    if (!callback_ || !audio().isStreamOpen()) return;
    if (!audio().isStreamRunning()) return wait_until_closed();
    const bool abort = must_abort();
    const QuietStderr quiet;
    if (abort)
        audio().abortStream();
    else
        audio().stopStream();
    callback_ = nullptr;
}

AudioDevice::AudioDevice(const AudioRequest& request) : backend_(std::make_unique<Backend>(*this)) {
    backend_->open(request);
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
    static_cast<void>(callbacks());  // from here on, this thread sees what the last block wrote
}

bool AudioDevice::is_running() const noexcept {
    return backend_->is_running();
}

}  // namespace gainstage
