#include "runtime/io/jack_client.hpp"

#include <fmt/format.h>
#include <jack/midiport.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/realtime/realtime_scope.hpp"

namespace gainstage {

namespace {

/// More than a port's buffer of one period can hold.
constexpr int most_events_per_port = 4'096;

// libjack reads shared memory here.
void* buffer_of(jack_port_t* port, int frames) noexcept GAINSTAGE_REALTIME {
    void* buffer = nullptr;
    GAINSTAGE_KNOWN_REALTIME(buffer = jack_port_get_buffer(port, static_cast<jack_nframes_t>(frames));)
    return buffer;
}
bool has_event(jack_midi_event_t& event, void* buffer, std::uint32_t number) noexcept GAINSTAGE_REALTIME {
    int status = 0;
    GAINSTAGE_KNOWN_REALTIME(status = jack_midi_event_get(&event, buffer, number);)
    return status == 0;
}

void clear_events(void* buffer) noexcept GAINSTAGE_REALTIME {
    GAINSTAGE_KNOWN_REALTIME(jack_midi_clear_buffer(buffer);)
}
/// False: the buffer is full.
bool has_written(void* buffer, int frame, const MidiMessage& message) noexcept GAINSTAGE_REALTIME {
    int status = 0;
    GAINSTAGE_KNOWN_REALTIME(status = jack_midi_event_write(buffer, static_cast<jack_nframes_t>(frame),
                                                            message.bytes.data(), message.size);)
    return status == 0;
}

[[noreturn]] void fail_to_open(const std::string& device, const std::string& cause) {
    throw DeviceError(fmt::format("audio device \"{}\" (jack) does not open: {}", device, cause));
}

using PortNames = std::vector<std::string>;

}  // namespace

/// A MIDI port of the client. It goes with the client.
class JackClient::Heard final : public MidiPort {
public:
    Heard(std::shared_ptr<JackClient> client, int number, MidiPortInfo info)
        : client_(std::move(client)), in_(client_->midi_[number]), info_(std::move(info)) {}
    ~Heard() override { in_.port.store(nullptr); }

    const MidiPortInfo& port() const noexcept override { return info_; }
    std::uint64_t received() const noexcept override { return in_.received.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const noexcept override { return in_.dropped.load(std::memory_order_relaxed); }

private:
    const std::shared_ptr<JackClient> client_;
    MidiIn& in_;
    const MidiPortInfo info_;
};

/// A MIDI port of the client that sends.
class JackClient::Sender final : public MidiOutput {
public:
    Sender(std::shared_ptr<JackClient> client, int number, MidiPortInfo info)
        : client_(std::move(client)), out_(client_->midi_out_[number]), info_(std::move(info)) {}

    const MidiPortInfo& port() const noexcept override { return info_; }
    bool send(const MidiMessage& message, std::uint64_t due) noexcept override {
        return out_.queue.push({.due = due, .message = message});
    }
    std::uint64_t sent() const noexcept override { return out_.queue.sent(); }
    std::uint64_t dropped() const noexcept override { return out_.queue.dropped(); }

private:
    const std::shared_ptr<JackClient> client_;
    MidiOut& out_;
    const MidiPortInfo info_;
};

JackClient::JackClient(const AudioRequest& request)
    : request_(request),
      midi_(static_cast<std::size_t>(request.midi_ports)),
      events_(static_cast<std::size_t>(request.midi_ports) * most_events_per_port),
      midi_out_(static_cast<std::size_t>(request.midi_ports)) {}

// JACK's threads

int JackClient::on_process(jack_nframes_t frames, void* self) {
    undisturbed([&] { static_cast<JackClient*>(self)->process(static_cast<int>(frames)); });
    return 0;
}

void JackClient::process(int frames) noexcept {
    period_.store(frames, std::memory_order_relaxed);
    const AudioBlock block = fetch(frames);
    const CallbackGate::Pass pass(*gate_);
    if (pass)
        callback_(context_, block);
    else
        for (float* const channel : out_) std::fill_n(channel, frames, 0.f);
    if (pass) played_ += static_cast<std::uint64_t>(frames);
    send_midi(frames, pass && sends_.load(std::memory_order_acquire));
}

/// All that comes in is fetched before anything is written: where an output is connected to an input of ours,
/// libjack copies the last period at this moment. The size of the period is this call's: JACK tells of a
/// change before or after, from another thread, or not at all before the first period.
AudioBlock JackClient::fetch(int frames) noexcept GAINSTAGE_REALTIME {
    const DeviceCallbackScope scope;
    for (std::size_t c = 0; c < in_.size(); ++c)
        in_[c] = static_cast<const float*>(buffer_of(in_ports_[c], frames));
    const int events = fetch_midi(frames);
    for (std::size_t c = 0; c < out_.size(); ++c)
        out_[c] = static_cast<float*>(buffer_of(out_ports_[c], frames));
    const bool lost = xrun_.exchange(false, std::memory_order_relaxed);
    return {.in = in_.data(),
            .out = out_.data(),
            .frames = frames,
            .input_overflow = lost && !in_.empty(),
            .output_underflow = lost && !out_.empty(),
            .freewheels = freewheels(),
            .midi = {events_.data(), static_cast<std::size_t>(events)}};
}

/// Puts the period's messages into events_, port by port; returns their number.
int JackClient::fetch_midi(int frames) noexcept GAINSTAGE_REALTIME {
    int count = 0;
    for (int number = 0; number < request_.midi_ports; ++number) {
        MidiIn& in = midi_[number];
        jack_port_t* const port = in.port.load(std::memory_order_acquire);
        void* const buffer = port ? buffer_of(port, frames) : nullptr;
        jack_midi_event_t event{};
        for (std::uint32_t k = 0; buffer && has_event(event, buffer, k); ++k) {
            const MidiMessage message = channel_message(event.buffer, event.size);
            if (message.size == 0) continue;
            const bool fits = count < static_cast<int>(events_.size());
            (fits ? in.received : in.dropped).fetch_add(1, std::memory_order_relaxed);
            if (!fits) continue;
            const int frame = std::min(static_cast<int>(event.time), frames - 1);
            events_[count++] = {.port = number, .frame = frame, .message = message};
        }
    }
    return count;
}

/// Each period begins with what the last one has sent, so every port is cleared.
void JackClient::send_midi(int frames, bool is_open) noexcept GAINSTAGE_REALTIME {
    const DeviceCallbackScope scope;
    for (MidiOut& out : midi_out_) {
        jack_port_t* const port = out.port.load(std::memory_order_acquire);
        void* const buffer = port ? buffer_of(port, frames) : nullptr;
        if (!buffer) continue;
        clear_events(buffer);
        if (is_open) send_due(out, buffer, frames);
    }
}

/// A period takes its messages in the order of their frames. What a full one does not take leaves with the
/// next.
void JackClient::send_due(MidiOut& out, void* buffer, int frames) noexcept GAINSTAGE_REALTIME {
    const std::uint64_t begin = played_ - static_cast<std::uint64_t>(frames);
    int frame = 0;
    while (const DueMidi* const next = out.queue.next()) {
        if (next->due >= played_) return;
        if (next->due > begin) frame = std::max(frame, static_cast<int>(next->due - begin));
        if (!has_written(buffer, frame, next->message)) return;
        out.queue.done(true);
    }
}

/// Every input may reach every output. What an unconnected port says means nothing.
void JackClient::tell_latency(jack_latency_callback_mode_t mode) noexcept {
    const bool capture = mode == JackCaptureLatency;
    std::optional<jack_latency_range_t> range;
    for (jack_port_t* const port : capture ? in_ports_ : out_ports_) {
        if (jack_port_connected(port) == 0) continue;
        jack_latency_range_t one{};
        jack_port_get_latency_range(port, mode, &one);
        range = range ? jack_latency_range_t{.min = std::min(range->min, one.min),
                                             .max = std::max(range->max, one.max)}
                      : one;
    }
    if (range) (capture ? capture_latency_ : playback_latency_) = static_cast<int>(range->max);
    jack_latency_range_t told = range.value_or(jack_latency_range_t{});
    const auto own = static_cast<jack_nframes_t>(latency_.load(std::memory_order_relaxed));
    told.min += own;
    told.max += own;
    for (jack_port_t* const port : capture ? out_ports_ : in_ports_)
        jack_port_set_latency_range(port, mode, &told);
}

void JackClient::set_callbacks() {
    jack_client_t* const client = client_.get();
    jack_set_process_callback(client, on_process, this);
    jack_set_freewheel_callback(
        client,
        [](int starting, void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->freewheels_ = starting != 0; });
        },
        this);
    jack_set_xrun_callback(
        client,
        [](void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->xrun_ = true; });
            return 0;
        },
        this);
    jack_set_latency_callback(
        client,
        [](jack_latency_callback_mode_t mode, void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->tell_latency(mode); });
        },
        this);
    jack_set_port_connect_callback(
        client,
        [](jack_port_id_t, jack_port_id_t, int, void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->connections_.note_change(); });
        },
        this);
    jack_set_port_registration_callback(
        client,
        [](jack_port_id_t, int, void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->connections_.note_change(); });
        },
        this);
    jack_on_info_shutdown(
        client,
        [](jack_status_t, const char*, void* self) {
            undisturbed([&] { static_cast<JackClient*>(self)->is_over_ = true; });
        },
        this);
}

// Threads that may wait for the server

void JackClient::check_open() const {
    if (!client_ || !is_alive()) throw DeviceError("the JACK server has gone; start again when it is back");
}

AudioFormat JackClient::open(const std::string& in_device, const std::string& out_device) {
    const std::lock_guard lock(mutex_);
    try {
        return open_ports(in_device, out_device);
    } catch (...) {  // closing may wait for the server: here, where that is expected
        client_.reset();
        throw;
    }
}

AudioFormat JackClient::open_ports(const std::string& in_device, const std::string& out_device) {
    const std::string device = out_device.empty() ? in_device : out_device;
    client_ = open_jack_client(request_.stream_name);
    if (!client_)
        fail_to_open(device,
                     "its server takes no more clients, or has just ended; end another client, or start the "
                     "server again");
    for (int c = 1; c <= (in_device.empty() ? 0 : request_.in_channels); ++c)
        in_ports_.push_back(add_port(fmt::format("in_{}", c), JACK_DEFAULT_AUDIO_TYPE, JackPortIsInput));
    for (int c = 1; c <= (out_device.empty() ? 0 : request_.out_channels); ++c)
        out_ports_.push_back(add_port(fmt::format("out_{}", c), JACK_DEFAULT_AUDIO_TYPE, JackPortIsOutput));
    in_.resize(in_ports_.size());
    out_.resize(out_ports_.size());
    captures_ = jack_audio_ports(client_.get(), in_device, JackPortIsOutput);
    playbacks_ = jack_audio_ports(client_.get(), out_device, JackPortIsInput);
    period_ = static_cast<int>(jack_get_buffer_size(client_.get()));
    capture_latency_ = worst_latency(captures_, in_ports_.size(), JackCaptureLatency);
    playback_latency_ = worst_latency(playbacks_, out_ports_.size(), JackPlaybackLatency);
    set_callbacks();  // they read the ports
    const bool two = !in_device.empty() && !out_device.empty() && in_device != out_device;
    return {.api = "jack",
            .name = two ? fmt::format("{} -> {}", in_device, out_device) : device,
            .in_channels = static_cast<int>(in_ports_.size()),
            .out_channels = static_cast<int>(out_ports_.size()),
            .rate_hz = static_cast<int>(jack_get_sample_rate(client_.get())),
            .block_frames = period(),
            .latency_frames = capture_latency_ + playback_latency_};
}

jack_port_t* JackClient::add_port(const std::string& name, const char* type, unsigned long flags) {
    if (jack_port_t* const port = jack_port_register(client_.get(), name.c_str(), type, flags, 0))
        return port;
    const std::string whole = fmt::format("{}:{}", jack_get_client_name(client_.get()), name);
    if (jack_port_by_name(client_.get(), whole.c_str()))
        throw DeviceError(fmt::format(
            "two ports would be called \"{}\"; give the MIDI port another name (virtual:NAME)", name));
    throw DeviceError(fmt::format(
        "JACK makes no port \"{}\": it has too many; start its server with more (jackd -p 2048 ...)", name));
}

/// Of the hardware, as the server knows it before anything is connected.
int JackClient::worst_latency(const std::vector<std::string>& ports, std::size_t used,
                              jack_latency_callback_mode_t mode) const {
    jack_latency_range_t worst{};
    for (std::size_t k = 0; k < std::min(used, ports.size()); ++k) {
        jack_latency_range_t range{};
        if (jack_port_t* const port = jack_port_by_name(client_.get(), ports[k].c_str()))
            jack_port_get_latency_range(port, mode, &range);
        worst.max = std::max(worst.max, range.max);
    }
    return static_cast<int>(worst.max);
}

void JackClient::prepare(AudioCallback callback, void* context) {
    gate_.emplace();
    played_ = 0;
    callback_ = callback;
    context_ = context;
}

void JackClient::start() {
    const std::lock_guard lock(mutex_);
    check_open();
    if (jack_activate(client_.get()) != 0)
        throw DeviceError("JACK's server does not start the stream; restart the server");
    is_active_ = true;
    try {
        if (request_.connections)
            connections_.want(*request_.connections);
        else if (request_.connect)
            connect_device();
        for (const MidiIn& in : midi_) connect_midi(in);
        for (const MidiOut& out : midi_out_) connect_midi(out);
        connections_.look(client_.get(), own_ports());
        sends_.store(true, std::memory_order_release);  // from here on there is somebody to send to
    } catch (...) {                                     // no callback comes after a start that failed
        is_active_ = false;
        jack_deactivate(client_.get());
        throw;
    }
}

void JackClient::connect_device() {
    for (std::size_t c = 0; c < std::min(in_ports_.size(), captures_.size()); ++c)
        connect(captures_[c], jack_port_name(in_ports_[c]));
    for (std::size_t c = 0; c < std::min(out_ports_.size(), playbacks_.size()); ++c)
        connect(jack_port_name(out_ports_[c]), playbacks_[c]);
}

void JackClient::connect_midi(const MidiIn& in) {
    if (jack_port_t* const port = in.port.load(); port && !in.source.empty())
        connect(in.source, jack_port_name(port));
}

void JackClient::connect_midi(const MidiOut& out) {
    if (jack_port_t* const port = out.port.load(); port && !out.destination.empty())
        connect(jack_port_name(port), out.destination);
}

void JackClient::connect(const std::string& from, const std::string& to) {
    const int status = jack_connect(client_.get(), from.c_str(), to.c_str());
    if (status != 0 && status != EEXIST)
        throw DeviceError(
            fmt::format("JACK does not connect \"{}\" to \"{}\"; is it still there?", from, to));
}

void JackClient::stop() {
    const std::lock_guard lock(mutex_);
    sends_ = false;
    if (client_ && std::exchange(is_active_, false)) jack_deactivate(client_.get());
    shut();
}

void JackClient::close() {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    client_.reset();
}

/// The server asks each client, this one too, while this call waits.
void JackClient::recompute_latencies() {
    const std::lock_guard lock(mutex_);
    if (client_ && is_active_ && is_alive()) jack_recompute_total_latencies(client_.get());
}

std::vector<jack_port_t*> JackClient::own_ports() const {
    std::vector<jack_port_t*> ports = in_ports_;
    ports.insert(ports.end(), out_ports_.begin(), out_ports_.end());
    for (const MidiIn& in : midi_)
        if (jack_port_t* const port = in.port.load()) ports.push_back(port);
    for (const MidiOut& out : midi_out_)
        if (jack_port_t* const port = out.port.load()) ports.push_back(port);
    return ports;
}

/// What a server that has gone still seems to have is not believed: all its ports are as they were.
PortConnections JackClient::connections() {
    const std::lock_guard lock(mutex_);
    if (client_ && is_active_ && is_alive() && connections_.has_changed())
        connections_.look(client_.get(), own_ports());
    return connections_.all();
}

MidiPorts JackClient::find_ports(unsigned long flags) {
    const std::lock_guard lock(mutex_);
    check_open();
    return jack_midi_ports(client_.get(), flags);
}

/// What a port of ours is called where the player asks for another program's port, or for a virtual one.
JackClient::OwnName JackClient::own_name(const std::string& asked, const char* usual, int number) {
    if (!asked.starts_with(virtual_prefix)) return {fmt::format("{}_{}", usual, number + 1)};
    const std::string name = asked.substr(std::strlen(virtual_prefix));
    if (name.empty()) throw DeviceError("a virtual MIDI port needs a name: write virtual:NAME");
    return {name, true};
}

MidiPortInfo JackClient::open_midi_port(int number, const std::string& name) {
    const std::lock_guard lock(mutex_);
    check_open();
    MidiIn& in = midi_[number];
    const OwnName own = own_name(name, "midi", number);
    in.source = own.is_virtual ? "" : name;
    in.port = add_port(own.name, JACK_DEFAULT_MIDI_TYPE, JackPortIsInput);
    connections_.note_change();
    if (is_active_) connect_midi(in);
    return {"jack", own.is_virtual ? own.name : name};
}

MidiPortInfo JackClient::open_midi_output(int number, const std::string& name) {
    const std::lock_guard lock(mutex_);
    check_open();
    MidiOut& out = midi_out_[number];
    const OwnName own = own_name(name, "midi_out", number);
    out.destination = own.is_virtual ? "" : name;
    out.port = add_port(own.name, JACK_DEFAULT_MIDI_TYPE, JackPortIsOutput);
    connections_.note_change();
    if (is_active_) connect_midi(out);
    return {"jack", own.is_virtual ? own.name : name};
}

// StreamMidi

MidiPorts JackClient::ask_for_ports(unsigned long flags) {
    const auto found = std::make_shared<MidiPorts>();
    if (!returns_within(opening_patience,
                        [=, self = shared_from_this()] { *found = self->find_ports(flags); }))
        throw DeviceError(no_answer("jack"));
    return *found;
}

MidiPorts JackClient::ports() {
    return ask_for_ports(JackPortIsOutput);
}
MidiPorts JackClient::destinations() {
    return ask_for_ports(JackPortIsInput);
}

std::unique_ptr<MidiPort> JackClient::open(int number, const std::string& name) {
    const auto info = std::make_shared<MidiPortInfo>();
    if (!returns_within(opening_patience,
                        [=, self = shared_from_this()] { *info = self->open_midi_port(number, name); }))
        throw DeviceError(no_answer("jack"));
    return std::make_unique<Heard>(shared_from_this(), number, *info);
}

std::unique_ptr<MidiOutput> JackClient::open_output(int number, const std::string& name) {
    const auto info = std::make_shared<MidiPortInfo>();
    if (!returns_within(opening_patience,
                        [=, self = shared_from_this()] { *info = self->open_midi_output(number, name); }))
        throw DeviceError(no_answer("jack"));
    return std::make_unique<Sender>(shared_from_this(), number, *info);
}

}  // namespace gainstage
