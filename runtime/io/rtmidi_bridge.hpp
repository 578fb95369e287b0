#pragma once
/// What inputs and outputs of RtMidi share. Only for the files of this folder that see RtMidi.

#include <RtMidi.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/io/choose_device.hpp"
#ifdef GAINSTAGE_JACK
#include "runtime/io/jack_ports.hpp"
#endif
#include "runtime/io/midi_port.hpp"
#include "runtime/io/midi_ports.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"

namespace gainstage {

inline constexpr const char* midi_client_name = "gainstage-midi";

/// A JACK server may hang, and RtMidi waits for its answer without an end: nothing here waits longer.
inline constexpr std::chrono::seconds finding_patience{5}, closing_patience{1};

[[noreturn]] inline void fail_without_midi() {
    throw DeviceError("the server of the MIDI ports (JACK's?) runs but does not answer; restart it");
}

/// JACK first: where its server runs it knows the hardware's ports too, and ALSA's would be the same again.
/// Never RtMidi's own choice: it takes the first API or none.
inline std::vector<RtMidi::Api> midi_apis(MidiApis which) {
    std::vector<RtMidi::Api> all;
    RtMidi::getCompiledApi(all);
    std::erase(all, RtMidi::RTMIDI_DUMMY);
    if (which == MidiApis::without_jack) std::erase(all, RtMidi::UNIX_JACK);
    std::stable_partition(all.begin(), all.end(), [](RtMidi::Api api) { return api == RtMidi::UNIX_JACK; });
    return all;
}

/// RtMidi's output makes its buffers before it looks for JACK's server, and leaks them where there is none.
template <class Client>
bool leaks_without_server(RtMidi::Api api) {
    return std::is_same_v<Client, RtMidiOut> && api == RtMidi::UNIX_JACK;
}

inline bool jack_answers() {
#ifdef GAINSTAGE_JACK
    return open_jack_client(midi_client_name) != nullptr;
#else
    return true;
#endif
}

/// An RtMidiIn or RtMidiOut; null where the API has no server.
template <class Client>
std::unique_ptr<Client> rtmidi_client(RtMidi::Api api) {
    if (leaks_without_server<Client>(api) && !jack_answers()) return nullptr;
    try {
        return std::make_unique<Client>(api, midi_client_name);
    } catch (const RtMidiError&) {
        return nullptr;
    }
}

/// The ports of others that an RtMidiIn hears, or an RtMidiOut reaches. Waits without an end for a server
/// that hangs.
template <class Client>
MidiPorts rtmidi_ports(MidiApis which) {
    MidiPorts ports;
    for (const RtMidi::Api api : midi_apis(which)) {
        const auto client = rtmidi_client<Client>(api);
        const unsigned count = client ? client->getPortCount() : 0;
        for (unsigned k = 0; k < count; ++k)
            ports.push_back({RtMidi::getApiName(api), client->getPortName(k)});
    }
    return ports;
}

/// The same, with patience. Throws DeviceError.
template <class Client>
MidiPorts rtmidi_ports_soon(MidiApis which) {
    const QuietStderr quiet;
    const auto ports = std::make_shared<MidiPorts>();
    if (!returns_within(finding_patience, [ports, which] { *ports = rtmidi_ports<Client>(which); }))
        fail_without_midi();
    return *ports;
}

/// A client with an open port. Each of the two below calls `prepare(client)` before it opens the port.
template <class Client>
struct OpenRtMidi {
    std::unique_ptr<Client> client;
    MidiPortInfo info;
};

/// Connected to a port of another program. Throws DeviceError.
template <class Client, class Prepare>
OpenRtMidi<Client> rtmidi_connected(const MidiPortInfo& port, MidiApis which, const char* own_name,
                                    Prepare prepare) try {
    for (const RtMidi::Api api : midi_apis(which)) {
        if (RtMidi::getApiName(api) != port.api) continue;
        auto client = rtmidi_client<Client>(api);
        if (client) prepare(*client);
        for (unsigned k = 0; client && k < client->getPortCount(); ++k) {
            if (client->getPortName(k) != port.name) continue;
            client->openPort(k, own_name);
            return {std::move(client), port};
        }
    }
    throw DeviceError(fmt::format("MIDI port \"{}\" has just disappeared: plug it in again", port.name));
} catch (const RtMidiError& error) {
    throw DeviceError(fmt::format("MIDI port \"{}\" ({}) can't be opened: {}: is another program using it?",
                                  port.name, port.api, error.what()));
}

/// A port of this name for other programs, by the first API that makes one. Throws DeviceError.
template <class Client, class Prepare>
OpenRtMidi<Client> rtmidi_virtual(const std::string& name, MidiApis which, Prepare prepare) {
    if (name.empty()) throw DeviceError("a virtual MIDI port needs a name: write virtual:NAME");
    for (const RtMidi::Api api : midi_apis(which)) try {
            auto client = rtmidi_client<Client>(api);
            if (!client) continue;
            prepare(*client);
            client->openVirtualPort(name);
            return {std::move(client), {RtMidi::getApiName(api), name}};
        } catch (const RtMidiError&) {  // no server of this API: try the next
        }
    throw DeviceError(
        fmt::format("no virtual MIDI port \"{}\" can be made: neither a JACK server nor the system's MIDI "
                    "sequencer runs; start one of them",
                    name));
}

/// `name` as in open_midi_port(). Throws DeviceError.
template <class Client, class Prepare>
OpenRtMidi<Client> open_rtmidi(const std::string& name, MidiApis which, const char* own_name,
                               Prepare prepare) {
    if (name.starts_with(virtual_prefix))
        return rtmidi_virtual<Client>(name.substr(std::strlen(virtual_prefix)), which, prepare);
    const MidiPorts ports = rtmidi_ports<Client>(which);
    return rtmidi_connected<Client>(choose_midi_port(ports, name), which, own_name, prepare);
}

}  // namespace gainstage
