#include "runtime/io/audio_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <thread>
#include <vector>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/muted_cerr.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"
#include "runtime/io/rtaudio_bridge.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

/// The APIs that may have what is asked for.
std::vector<std::string> apis_for(const AudioRequest& request) {
    if (!request.api.empty()) return {request.api};
    std::vector<std::string> apis = rtaudio_apis();
    std::erase_if(apis, [](const std::string& api) { return own_door(api) != nullptr; });
    return apis;
}

[[noreturn]] void fail_without_devices(const AudioRequest& request) {
    choose_device(list_audio_devices(), request);  // its message names what other APIs have
    throw DeviceError("an audio device has just appeared; try again");
}

}  // namespace

/// Everything that RtAudio touches. Shared with the threads that call it, for one that hangs keeps its part.
class AudioDevice::Backend {
public:
    /// `device` is told of every block, as long as the gate is open.
    explicit Backend(AudioDevice& device) : device_(device) {}

    /// Finds the device; opens nothing yet.
    ChosenDevice choose(const AudioRequest&, const AudioDevices& others);
    AudioFormat open(const ChosenDevice&, const AudioRequest&);
    void start(AudioCallback, void* context);
    enum class End { in_order, at_once };
    void stop(End);
    bool is_open() const { return audio().isStreamOpen(); }
    bool is_running() const { return is_open() && audio().isStreamRunning(); }
    /// No block is played any more, whatever the driver does.
    void shut() noexcept { gate_.shut(); }

private:
    static int on_block(void* out, void* in, unsigned frames, double, RtAudioStreamStatus status, void* self);
    void play(void* out, void* in, unsigned frames, RtAudioStreamStatus status) noexcept;
    unsigned id_of(const AudioDeviceInfo&) const;
    AudioFormat format_of(const ChosenDevice&, const AudioRequest&, unsigned frames);
    RtAudio& audio() const { return *api_.audio; }
    void wait_until_closed();

    AudioDevice& device_;
    CallbackGate gate_;
    [[maybe_unused]] MutedCerr muted_;  // RtAudio 6 needs none
    OpenApi api_;
    AudioDevices devices_;
    std::string name_;
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
    std::vector<const float*> in_;
    std::vector<float*> out_;
};

int AudioDevice::Backend::on_block(void* out, void* in, unsigned frames, double, RtAudioStreamStatus status,
                                   void* self) {
    undisturbed([&] { static_cast<Backend*>(self)->play(out, in, frames, status); });
    return 0;
}

void AudioDevice::Backend::play(void* out, void* in, unsigned frames, RtAudioStreamStatus status) noexcept {
    // Not interleaved: RtAudio hands over one channel after the other.
    for (std::size_t c = 0; c < in_.size(); ++c) in_[c] = static_cast<const float*>(in) + c * frames;
    for (std::size_t c = 0; c < out_.size(); ++c) out_[c] = static_cast<float*>(out) + c * frames;
    const CallbackGate::Pass pass(gate_);
    if (!pass) {
        for (float* channel : out_) std::fill_n(channel, frames, 0.f);
        return;
    }
    callback_(context_, {.in = in_.data(),
                         .out = out_.data(),
                         .frames = static_cast<int>(frames),
                         .input_overflow = (status & RTAUDIO_INPUT_OVERFLOW) != 0,
                         .output_underflow = (status & RTAUDIO_OUTPUT_UNDERFLOW) != 0});
    device_.count_callback();
}

ChosenDevice AudioDevice::Backend::choose(const AudioRequest& request, const AudioDevices& others) {
    devices_ = others;
    std::vector<OpenApi> apis;
    for (const std::string& name : apis_for(request)) {
        apis.push_back(open_api(name));
        devices_.insert(devices_.end(), apis.back().devices.begin(), apis.back().devices.end());
    }
    if (devices_.empty()) fail_without_devices(request);
    const ChosenDevice chosen = choose_device(devices_, request);
    for (OpenApi& api : apis)
        if (api.name == chosen.device().api) api_ = std::move(api);
    return chosen;
}

unsigned AudioDevice::Backend::id_of(const AudioDeviceInfo& device) const {
    const auto same = [&](const AudioDeviceInfo& other) { return other.name == device.name; };
    const auto found = std::find_if(api_.devices.begin(), api_.devices.end(), same);
    return api_.ids[found - api_.devices.begin()];
}

AudioFormat AudioDevice::Backend::open(const ChosenDevice& chosen, const AudioRequest& request) {
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
    // 3 is what USB interfaces need; JACK and PulseAudio have their own
    options.numberOfBuffers = request.periods ? static_cast<unsigned>(request.periods) : 3;
    options.streamName = request.stream_name;

    auto frames = static_cast<unsigned>(request.block_frames);
    checked(
        audio(),
        fmt::format("audio device \"{}\" ({}) does not open: ", chosen.device().name, chosen.device().api),
        [&] {
            return audio().openStream(chosen.out ? &out : nullptr, chosen.in ? &in : nullptr, RTAUDIO_FLOAT32,
                                      static_cast<unsigned>(chosen.rate_hz), &frames, &on_block, this,
                                      &options);
        });
    in_.resize(chosen.in ? in.nChannels : 0);
    out_.resize(chosen.out ? out.nChannels : 0);
    AudioFormat format = format_of(chosen, request, frames);
    name_ = format.name;
    return format;
}

namespace {

/// On Linux RtAudio calls us before it copies the block's input, so that we hear the block before.
int hidden_frames(const ChosenDevice& chosen, unsigned frames) {
    const std::string& api = chosen.device().api;
    const bool is_late = api.ends_with("jack") || api.ends_with("alsa") || api.ends_with("pulse");
    return chosen.in && chosen.out && is_late ? static_cast<int>(frames) : 0;
}

}  // namespace

AudioFormat AudioDevice::Backend::format_of(const ChosenDevice& chosen, const AudioRequest& request,
                                            unsigned frames) {
    const bool two = chosen.in && chosen.out && chosen.in->name != chosen.out->name;
    return {.api = chosen.device().api,
            .name = two ? fmt::format("{} -> {}", chosen.in->name, chosen.out->name) : chosen.device().name,
            .in_channels = chosen.in ? request.in_channels : 0,
            .out_channels = chosen.out ? request.out_channels : 0,
            .rate_hz = static_cast<int>(audio().getStreamSampleRate()),
            .block_frames = static_cast<int>(frames),
            .latency_frames = static_cast<int>(audio().getStreamLatency()),
            .hidden_frames = hidden_frames(chosen, frames)};
}

void AudioDevice::Backend::start(AudioCallback callback, void* context) {
    callback_ = callback;
    context_ = context;
    checked(audio(), fmt::format("audio device \"{}\" does not start: ", name_),
            [&] { return audio().startStream(); });
}

/// When a JACK server dies, RtAudio closes the stream from a thread of its own, and must not be destroyed
/// before.
void AudioDevice::Backend::wait_until_closed() {
    while (is_open()) std::this_thread::sleep_for(10ms);
}

void AudioDevice::Backend::stop(End end) {
    if (!callback_ || !is_open()) return;
    if (!audio().isStreamRunning()) return wait_until_closed();
    try {
        if (end == End::at_once)
            audio().abortStream();
        else
            audio().stopStream();
    } catch (const std::exception&) {
        // RtAudio 5 throws when the stream was closed in the meantime: then it has stopped.
    }
}

// ------------------------ the device

AudioDevice::AudioDevice(const AudioRequest& request, const AudioDevices& others)
    : backend_(std::make_shared<Backend>(*this)) {
    const ChosenDevice chosen = backend_->choose(request, others);
    const auto format = std::make_shared<AudioFormat>();
    const QuietStderr quiet;
    if (!returns_within(opening_patience,
                        [=, backend = backend_] { *format = backend->open(chosen, request); }))
        throw DeviceError(no_answer(chosen.device().api));
    format_ = *format;
}

AudioDevice::~AudioDevice() {
    stop();
    if (given_up_) return;  // the thread that hangs frees it, if ever
    const QuietStderr quiet;
    free_within(stopping_patience, std::move(backend_));
}

void AudioDevice::start(AudioCallback callback, void* context) {
    started_ = true;
    const QuietStderr quiet;
    if (returns_within(opening_patience, [=, backend = backend_] { backend->start(callback, context); }))
        return;
    give_up();
    throw DeviceError(no_answer(format_.api));
}

/// RtAudio's orderly stop waits for a callback, and for JACK without holding the lock that this takes: the
/// signal can be missed, and when JACK's block size was changed or its server hangs, no callback ever comes.
bool AudioDevice::must_abort() const {
#ifdef GAINSTAGE_TSAN
    return true;
#else
    if (format_.api.ends_with("jack")) return true;
    const std::uint64_t before = callbacks();
    for (int k = 0; k < 50 && callbacks() == before; ++k) std::this_thread::sleep_for(10ms);
    return callbacks() == before;
#endif
}

void AudioDevice::stop() noexcept {
    if (given_up_ || !std::exchange(started_, false)) return;
    const auto end = !is_running() || must_abort() ? Backend::End::at_once : Backend::End::in_order;
    const QuietStderr quiet;
    if (!is_done_within(stopping_patience, [=, backend = backend_] { backend->stop(end); })) give_up();
    static_cast<void>(callbacks());  // from here on, this thread sees what the last block wrote
}

void AudioDevice::give_up() noexcept {
    backend_->shut();
    given_up_ = true;
}

bool AudioDevice::is_running() const noexcept {
    return !given_up_ && backend_->is_running();
}

}  // namespace gainstage
