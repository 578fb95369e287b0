#include "runtime/io/jack_device.hpp"

#include <utility>

#include "runtime/io/jack_client.hpp"
#include "runtime/io/jack_ports.hpp"
#include "runtime/io/patience.hpp"

namespace gainstage {

JackDevice::JackDevice(const ChosenDevice& chosen, const AudioRequest& request)
    : client_(std::make_shared<JackClient>(request)) {
    const auto format = std::make_shared<AudioFormat>();
    if (!returns_within(opening_patience,
                        [=, client = client_, in = chosen.in ? chosen.in->name : "",
                         out = chosen.out ? chosen.out->name : ""] { *format = client->open(in, out); }))
        throw DeviceError(no_answer(chosen.device().api));
    format_ = *format;
}

JackDevice::~JackDevice() {
    stop();
    if (given_up_) return;  // the thread that hangs frees it, if ever
    // Not freed: MIDI ports may hold the client. There is nobody to tell any more.
    static_cast<void>(is_done_within(stopping_patience, [client = client_] { client->close(); }));
}

void JackDevice::start(AudioCallback callback, void* context) {
    callback_ = callback;
    context_ = context;
    client_->prepare(&JackDevice::play, this);
    started_ = true;
    const auto made = std::make_shared<PortConnections>();
    if (returns_within(opening_patience, [=, client = client_] {
            client->start();
            *made = client->connections();
        })) {
        connections_ = *made;
        return;
    }
    give_up();
    throw DeviceError(no_answer(format_.api));
}

void JackDevice::play(void* self, const AudioBlock& block) {
    auto& device = *static_cast<JackDevice*>(self);
    device.callback_(device.context_, block);
    device.count_callback();
}

void JackDevice::stop() noexcept {
    if (given_up_ || !std::exchange(started_, false)) return;
    if (!is_done_within(stopping_patience, [client = client_] { client->stop(); })) give_up();
    static_cast<void>(callbacks());  // from here on, this thread sees what the last block wrote
}

void JackDevice::give_up() noexcept {
    client_->shut();
    given_up_ = true;
}

bool JackDevice::is_running() const noexcept {
    return started_ && !given_up_ && client_->is_alive();
}

int JackDevice::period_frames() const noexcept {
    return client_->period();
}

int JackDevice::latency_frames() const noexcept {
    return client_->device_latency();
}

std::string JackDevice::end_cause() const {
    return client_->is_alive() ? "" : "JACK's server has gone; start again when it is back";
}

bool JackDevice::keeps_time() const noexcept {
    return !client_->freewheels();
}

std::shared_ptr<StreamMidi> JackDevice::midi() noexcept {
    return client_;
}

void JackDevice::declare_latency(int samples) {
    client_->set_latency(samples);
    if (!started_ || given_up_) return;
    // A server that hangs is noticed by its silence.
    static_cast<void>(
        returns_within(stopping_patience, [client = client_] { client->recompute_latencies(); }));
}

PortConnections JackDevice::connections() {
    if (given_up_ || !client_->is_alive() || !client_->connections_changed()) return connections_;
    const auto found = std::make_shared<PortConnections>(connections_);
    if (returns_within(stopping_patience, [=, client = client_] { *found = client->connections(); }))
        connections_ = *found;
    return connections_;
}

AudioDevices list_jack_devices() {
    const auto devices = std::make_shared<AudioDevices>();
    if (!returns_within(opening_patience, [=] {
            if (const JackHandle client = open_jack_client("gainstage-list"))
                *devices = jack_devices(client.get());
        }))
        throw DeviceError(no_answer("jack"));
    return *devices;
}

std::unique_ptr<AudioStream> open_jack_device(const ChosenDevice& chosen, const AudioRequest& request) {
    if (request.periods > 0)
        throw DeviceError("--periods is for ALSA; a JACK server has its own (jackd -n), so leave it out");
    return std::make_unique<JackDevice>(chosen, request);
}

}  // namespace gainstage
