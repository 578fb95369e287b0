#include "runtime/io/alsa_device.hpp"

#include <alsa/asoundlib.h>
#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/io/alsa_devices.hpp"
#include "runtime/io/alsa_pair.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"
#include "runtime/realtime/realtime_scope.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

bool is_gone(int error) {
    return error == -ENODEV || error == -ENXIO;
}

/// Longer than the card's buffer the way can't be.
std::string missing_periods(const std::string& name, const AudioRequest& request, const AlsaPair& pair) {
    if (pair.periods() >= request.periods) return {};
    return fmt::format(
        "{} holds {} blocks of {} frames, not the {} that --periods asks for; it plays with {}", name,
        pair.periods(), pair.block_frames(), request.periods, pair.periods());
}

AudioFormat format_of(const ChosenDevice& chosen, const AudioRequest& request, const AlsaPair& pair) {
    const AudioDeviceInfo& named = chosen.device();
    const bool two = chosen.in && chosen.out && chosen.in->name != chosen.out->name;
    return {.api = "alsa",
            .name = two ? fmt::format("{} -> {}", chosen.in->name, chosen.out->name) : named.name,
            .in_channels = chosen.in ? request.in_channels : 0,
            .out_channels = chosen.out ? request.out_channels : 0,
            .rate_hz = pair.rate_hz(),
            .block_frames = pair.block_frames(),
            .latency_frames = pair.periods() * pair.block_frames(),
            .remark = missing_periods(named.name, request, pair)};
}

}  // namespace

/// The audio thread and all that it touches. Shared with the threads that wait for it, for one that hangs
/// keeps its part.
class AlsaDevice::Loop {
public:
    Loop(AlsaDevice&, const ChosenDevice&, const AudioRequest&);
    ~Loop() { stop(); }

    const AudioFormat& format() const noexcept { return format_; }
    /// Returns when the card runs. Throws DeviceError.
    void start(AudioCallback, void* context);
    void ask_to_end() noexcept { end_ = true; }
    void stop() noexcept;
    /// No block is played any more, whatever the driver does.
    void shut() noexcept { gate_.shut(); }
    bool is_running() const noexcept { return is_running_.load(); }
    /// ALSA's error that ended it; 0: none did.
    int error() const noexcept { return error_.load(); }

private:
    void make_blocks();
    void run(std::promise<int>& started) noexcept;
    AlsaFault play_block() noexcept;
    void call_back() noexcept;
    bool recovers(AlsaFault) noexcept;

    static constexpr int most_troubles = 3;
    static constexpr auto between_attempts = 20ms;

    AlsaDevice& device_;
    const int priority_;
    CallbackGate gate_;
    AlsaPair pair_;
    const AudioFormat format_;
    std::vector<float> samples_;  // of the block, one channel after the other
    std::vector<float*> in_, out_;
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
    bool input_overflow_ = false, output_underflow_ = false;  // before the next block
    int troubles_ = 0;                                        // since the last block; an xrun is none
    std::atomic<bool> end_{false}, is_running_{false};
    std::atomic<int> error_{0};
    Thread thread_;
};

AlsaDevice::Loop::Loop(AlsaDevice& device, const ChosenDevice& chosen, const AudioRequest& request)
    : device_(device),
      priority_(request.priority),
      pair_(chosen, request),
      format_(format_of(chosen, request, pair_)) {
    make_blocks();
}

void AlsaDevice::Loop::make_blocks() {
    const auto frames = static_cast<std::size_t>(format_.block_frames);
    samples_.assign(frames * (format_.in_channels + format_.out_channels), 0.f);
    float* channel = samples_.data();
    for (int c = 0; c < format_.in_channels; ++c, channel += frames) in_.push_back(channel);
    for (int c = 0; c < format_.out_channels; ++c, channel += frames) out_.push_back(channel);
}

void AlsaDevice::Loop::start(AudioCallback callback, void* context) {
    callback_ = callback;
    context_ = context;
    end_ = false;
    error_ = 0;
    const auto started = std::make_shared<std::promise<int>>();
    thread_ = Thread("gainstage-audio", [this, started] { run(*started); });
    const int error = started->get_future().get();
    if (error == 0) return;
    thread_.join();
    throw DeviceError(
        fmt::format("audio device \"{}\" (alsa) does not start: {}", format_.name, snd_strerror(error)));
}

void AlsaDevice::Loop::stop() noexcept {
    ask_to_end();
    if (thread_.joinable()) thread_.join();
}

// ------------------------ audio thread

void AlsaDevice::Loop::run(std::promise<int>& started) noexcept {
    take_realtime_priority(priority_);
    const int error = pair_.start().error;
    is_running_ = error == 0;
    started.set_value(error);
    if (error != 0) return;
    while (!end_.load(std::memory_order_relaxed))
        if (const AlsaFault fault = play_block(); fault && !recovers(fault)) break;
    pair_.stop();
    is_running_ = false;
}

AlsaFault AlsaDevice::Loop::play_block() noexcept {
    if (const AlsaFault fault = pair_.read(end_)) return fault;
    {
        const DeviceCallbackScope scope;
        pair_.take(in_.data(), format_.in_channels);
    }
    call_back();
    {
        const DeviceCallbackScope scope;
        pair_.put(out_.data(), format_.out_channels);
    }
    const AlsaFault fault = pair_.write(end_);
    if (!fault) troubles_ = 0;
    return fault;
}

/// The callback has a scope of its own.
void AlsaDevice::Loop::call_back() noexcept {
    const CallbackGate::Pass pass(gate_);
    if (!pass) {
        for (float* channel : out_) std::fill_n(channel, format_.block_frames, 0.f);
        return;
    }
    callback_(context_, {.in = in_.data(),
                         .out = out_.data(),
                         .frames = format_.block_frames,
                         .input_overflow = std::exchange(input_overflow_, false),
                         .output_underflow = std::exchange(output_underflow_, false)});
    device_.count_callback();
}

/// Begins anew, with silence, so that the way through the card is as long as before. An xrun may come as
/// often as it will, for blocks are played between; what else goes wrong, a few times.
bool AlsaDevice::Loop::recovers(AlsaFault fault) noexcept {
    while (fault && !end_.load(std::memory_order_relaxed)) {
        input_overflow_ |= fault.at_input;
        output_underflow_ |= fault.at_output;
        const bool slept = fault.error == -ESTRPIPE, lost_sound = fault.error == -EPIPE;
        if (is_gone(fault.error) || (!slept && !lost_sound && ++troubles_ > most_troubles)) {
            error_ = fault.error;
            return false;
        }
        if (slept) pair_.wake(end_);
        fault = pair_.start();
        if (fault) std::this_thread::sleep_for(between_attempts);
    }
    return true;
}

// ------------------------ control thread

AlsaDevice::AlsaDevice(const ChosenDevice& chosen, const AudioRequest& request) {
    // Copies: a driver that hangs keeps its own.
    const AudioDeviceInfo none, in = chosen.in ? *chosen.in : none, out = chosen.out ? *chosen.out : none;
    const bool has_in = chosen.in, has_out = chosen.out;
    const auto opened = std::make_shared<std::shared_ptr<Loop>>();
    const QuietStderr quiet;
    if (!returns_within(opening_patience, [=, this, rate_hz = chosen.rate_hz] {
            const ChosenDevice ours{
                .in = has_in ? &in : nullptr, .out = has_out ? &out : nullptr, .rate_hz = rate_hz};
            *opened = std::make_shared<Loop>(*this, ours, request);
        }))
        throw DeviceError(silent_driver((has_out ? out : in).name));
    loop_ = std::move(*opened);
    format_ = loop_->format();
}

AlsaDevice::~AlsaDevice() {
    stop();
    if (given_up_) return;  // the thread that hangs frees it, if ever
    const QuietStderr quiet;
    free_within(stopping_patience, std::move(loop_));
}

void AlsaDevice::start(AudioCallback callback, void* context) {
    const QuietStderr quiet;
    if (returns_within(opening_patience, [=, loop = loop_] { loop->start(callback, context); })) return;
    give_up();
    throw DeviceError(silent_driver(format_.name));
}

void AlsaDevice::stop() noexcept {
    if (given_up_) return;
    loop_->ask_to_end();
    if (!is_done_within(stopping_patience, [loop = loop_] { loop->stop(); })) give_up();
    static_cast<void>(callbacks());  // from here on, this thread sees what the last block wrote
}

void AlsaDevice::give_up() noexcept {
    loop_->ask_to_end();
    loop_->shut();
    given_up_ = true;
}

bool AlsaDevice::is_running() const noexcept {
    return !given_up_ && loop_->is_running();
}

std::string AlsaDevice::end_cause() const {
    const int error = loop_->error();
    if (error == 0) return "";
    if (is_gone(error))
        return "the card is gone (unplugged, or its driver was unloaded); start again when it is back";
    return fmt::format("the card has stopped ({}); start again", snd_strerror(error));
}

}  // namespace gainstage
