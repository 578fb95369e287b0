#include "runtime/io/midi_input.hpp"

#include <RtMidi.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstring>
#include <vector>

#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"

namespace gainstage {

namespace {

constexpr const char* midi_client_name = "gainstage-midi";

/// A JACK server may hang, and RtMidi waits for its answer without an end: nothing here waits longer.
constexpr std::chrono::seconds finding_patience{5}, closing_patience{1};

[[noreturn]] void fail_without_answer() {
    throw DeviceError("the server of the MIDI ports (JACK's?) runs but does not answer; restart it");
}

/// JACK first: where its server runs it knows the hardware's ports too, and ALSA's would be the same again.
/// Never RtMidi's own choice: it takes the first API or none.
std::vector<RtMidi::Api> midi_apis(MidiApis which) {
    std::vector<RtMidi::Api> all;
    RtMidi::getCompiledApi(all);
    std::erase(all, RtMidi::RTMIDI_DUMMY);
    if (which == MidiApis::without_jack) std::erase(all, RtMidi::UNIX_JACK);
    std::stable_partition(all.begin(), all.end(), [](RtMidi::Api api) { return api == RtMidi::UNIX_JACK; });
    return all;
}

/// Null where the API has no server.
std::unique_ptr<RtMidiIn> client_of(RtMidi::Api api) {
    try {
        return std::make_unique<RtMidiIn>(api, midi_client_name);
    } catch (const RtMidiError&) {
        return nullptr;
    }
}

MidiPorts ports_of(RtMidiIn& client, RtMidi::Api api) {
    MidiPorts ports;
    const unsigned count = client.getPortCount();
    for (unsigned k = 0; k < count; ++k) ports.push_back({RtMidi::getApiName(api), client.getPortName(k)});
    return ports;
}

std::string describe(const MidiPorts& ports) {
    if (ports.empty()) return "there is none; \"virtual:NAME\" makes one for other programs to connect to";
    std::string text = "there are: ";
    for (const MidiPortInfo& port : ports)
        text += fmt::format("{}\"{}\" ({})", &port == &ports.front() ? "" : ", ", port.name, port.api);
    return text;
}

void find_ports(MidiPorts& ports, MidiApis which) {
    for (const RtMidi::Api api : midi_apis(which))
        if (const auto client = client_of(api)) {
            const MidiPorts more = ports_of(*client, api);
            ports.insert(ports.end(), more.begin(), more.end());
        }
}

MidiPorts find_ports_soon(MidiApis which) {
    const QuietStderr quiet;
    const auto ports = std::make_shared<MidiPorts>();
    if (!returns_within(finding_patience, [ports, which] { find_ports(*ports, which); }))
        fail_without_answer();
    return *ports;
}

}  // namespace

MidiPorts list_midi_ports() {
    return find_ports_soon(MidiApis::all);
}

const MidiPortInfo& choose_midi_port(const MidiPorts& ports, const std::string& name) {
    MidiPorts found;
    const MidiPortInfo* chosen = nullptr;
    for (const MidiPortInfo& port : ports) {
        if (port.name == name) return port;
        if (chosen && port.api != chosen->api) continue;
        if (lower(port.name).find(lower(name)) == std::string::npos) continue;
        if (!chosen) chosen = &port;
        found.push_back(port);
    }
    if (!chosen) throw DeviceError(fmt::format("no MIDI port is called \"{}\"; {}", name, describe(ports)));
    if (found.size() > 1)
        throw DeviceError(fmt::format("\"{}\" may be one of {} MIDI ports; write more of the name; {}", name,
                                      found.size(), describe(found)));
    return *chosen;
}

/// Shared with the threads that open and close it, for one that hangs keeps its part.
class MidiInput::Port {
public:
    Port(MidiQueue& queue, MidiApis which) : queue_(queue), apis_(midi_apis(which)), which_(which) {}

    void open(const std::string& name) {
        if (name.starts_with(virtual_prefix)) {
            open_virtual(name.substr(std::strlen(virtual_prefix)));
        } else {
            MidiPorts ports;
            find_ports(ports, which_);
            connect_to(choose_midi_port(ports, name));
        }
        // From now on RtMidi would print from the port's thread.
        client_->setErrorCallback([](RtMidiError::Type, const std::string&, void*) {}, nullptr);
    }

    /// Nothing is put into the queue any more, whatever the driver does.
    void shut() noexcept { gate_.shut(); }

    MidiPortInfo info;
    std::atomic<std::uint64_t> received{0}, dropped{0};

private:
    void connect_to(const MidiPortInfo& port) try {
        for (const RtMidi::Api api : apis_) {
            if (RtMidi::getApiName(api) != port.api) continue;
            connect(api);
            for (unsigned k = 0; client_ && k < client_->getPortCount(); ++k)
                if (client_->getPortName(k) == port.name) {
                    client_->openPort(k, "in");
                    info = port;
                    return;
                }
        }
        throw DeviceError(fmt::format("MIDI port \"{}\" has just disappeared: plug it in again", port.name));
    } catch (const RtMidiError& error) {
        throw DeviceError(
            fmt::format("MIDI port \"{}\" ({}) can't be opened: {}: is another program using it?", port.name,
                        port.api, error.what()));
    }

    void open_virtual(const std::string& name) {
        if (name.empty()) throw DeviceError("a virtual MIDI port needs a name: write virtual:NAME");
        for (const RtMidi::Api api : apis_) try {
                connect(api);
                if (!client_) continue;
                client_->openVirtualPort(name);
                info = {RtMidi::getApiName(api), name};
                return;
            } catch (const RtMidiError&) {
                client_ = nullptr;  // no server of this API: try the next
            }
        throw DeviceError(
            fmt::format("no virtual MIDI port \"{}\" can be made: neither a JACK server nor the "
                        "system's MIDI sequencer runs; start one of them",
                        name));
    }

    void connect(RtMidi::Api api) {
        client_ = client_of(api);
        if (!client_) return;
        client_->ignoreTypes(true, true, true);
        client_->setCallback(receive, this);
    }

    /// The port's thread: stamp, push, nothing else.
    static void receive(double, std::vector<unsigned char>* bytes, void* self) {
        auto& port = *static_cast<Port*>(self);
        const MidiMessage message = channel_message(bytes->data(), bytes->size());
        if (message.size == 0) return;
        const CallbackGate::Pass pass(port.gate_);
        if (!pass) return;
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const bool fits =
            port.queue_.push({std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(), message});
        (fits ? port.received : port.dropped).fetch_add(1, std::memory_order_relaxed);
    }

    MidiQueue& queue_;
    const std::vector<RtMidi::Api> apis_;
    const MidiApis which_;
    CallbackGate gate_;
    std::unique_ptr<RtMidiIn> client_;  // last: its thread is gone before the rest is
};

MidiInput::MidiInput(const std::string& name, MidiQueue& queue, MidiApis which)
    : open_(std::make_shared<Port>(queue, which)) {
    const QuietStderr quiet;
    if (returns_within(finding_patience, [port = open_, name] { port->open(name); })) return;
    open_->shut();
    fail_without_answer();
}

MidiInput::~MidiInput() {
    const QuietStderr quiet;
    open_->shut();
    free_within(closing_patience, std::move(open_));
}

const MidiPortInfo& MidiInput::port() const noexcept {
    return open_->info;
}
std::uint64_t MidiInput::received() const noexcept {
    return open_->received.load(std::memory_order_relaxed);
}
std::uint64_t MidiInput::dropped() const noexcept {
    return open_->dropped.load(std::memory_order_relaxed);
}

std::unique_ptr<MidiPort> open_midi_port(const std::string& name, int number, MidiQueue& queue,
                                         StreamMidi* stream) {
    if (!stream) return std::make_unique<MidiInput>(name, queue);
    if (name.starts_with(virtual_prefix)) return stream->open(number, name);
    MidiPorts ports = stream->ports();
    const auto own = ports.size();
    const MidiPorts others = find_ports_soon(MidiApis::without_jack);
    ports.insert(ports.end(), others.begin(), others.end());
    const MidiPortInfo& chosen = choose_midi_port(ports, name);
    if (&chosen < ports.data() + own) return stream->open(number, chosen.name);
    return std::make_unique<MidiInput>(chosen.name, queue, MidiApis::without_jack);
}

}  // namespace gainstage
