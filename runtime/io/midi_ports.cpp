#include "runtime/io/midi_ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "runtime/io/choose_device.hpp"
#include "runtime/io/rtmidi_bridge.hpp"

namespace gainstage {

namespace {

std::string described(const MidiPorts& ports) {
    if (ports.empty()) return "there is none; \"virtual:NAME\" makes one for other programs to connect to";
    std::string text = "there are: ";
    for (const MidiPortInfo& port : ports)
        text += fmt::format("{}\"{}\" ({})", &port == &ports.front() ? "" : ", ", port.name, port.api);
    return text;
}

bool is_named(const MidiPortInfo& port, const std::string& name) {
    return port.name == name ||
           std::find(port.aliases.begin(), port.aliases.end(), name) != port.aliases.end();
}

/// `part` in small letters.
bool has_part(const MidiPortInfo& port, const std::string& part) {
    const auto has = [&](const std::string& text) { return lower(text).find(part) != std::string::npos; };
    return has(port.name) || std::any_of(port.aliases.begin(), port.aliases.end(), has);
}

/// ALSA's sequencer as RtMidi shows it: "nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0".
struct SequencerPort {
    std::string client, port;
};

/// Nothing in it: the name has another form.
SequencerPort sequencer_port(const MidiPortInfo& info) {
    const std::size_t colon = info.name.find(':'), numbers = info.name.rfind(' ');
    if (info.api != "alsa" || colon == std::string::npos || numbers == std::string::npos || numbers < colon)
        return {};
    return {lower(info.name.substr(0, colon)), lower(info.name.substr(colon + 1, numbers - colon - 1))};
}

/// JACK's bridges name a controller's port after the sequencer's client and port. Null: none does, or more
/// than one, for two controllers may have one name.
const MidiPortInfo* same_in_jack(const MidiPorts& jack, const MidiPortInfo& other) {
    const SequencerPort wanted = sequencer_port(other);
    if (wanted.client.empty() || wanted.port.empty()) return nullptr;
    const MidiPortInfo* found = nullptr;
    for (const MidiPortInfo& port : jack) {
        if (!has_part(port, wanted.client) || !has_part(port, wanted.port)) continue;
        if (found) return nullptr;
        found = &port;
    }
    return found;
}

}  // namespace

MidiPorts list_midi_ports() {
    return rtmidi_ports_soon<RtMidiIn>(MidiApis::all);
}

const MidiPortInfo& choose_midi_port(const MidiPorts& ports, const std::string& name) {
    MidiPorts found;
    const MidiPortInfo* chosen = nullptr;
    for (const MidiPortInfo& port : ports) {
        if (is_named(port, name)) return port;
        if (chosen && port.api != chosen->api) continue;
        if (!has_part(port, lower(name))) continue;
        if (!chosen) chosen = &port;
        found.push_back(port);
    }
    if (!chosen) throw DeviceError(fmt::format("no MIDI port is called \"{}\"; {}", name, described(ports)));
    if (found.size() > 1)
        throw DeviceError(fmt::format("\"{}\" may be one of {} MIDI ports; write more of the name; {}", name,
                                      found.size(), described(found)));
    return *chosen;
}

const MidiPortInfo& choose_midi_port(const MidiPorts& jack, const MidiPorts& others,
                                     const std::string& name) {
    MidiPorts all = jack;
    all.insert(all.end(), others.begin(), others.end());
    const auto number = static_cast<std::size_t>(&choose_midi_port(all, name) - all.data());
    if (number < jack.size()) return jack[number];
    const MidiPortInfo& other = others[number - jack.size()];
    const MidiPortInfo* const same = same_in_jack(jack, other);
    return same ? *same : other;
}

}  // namespace gainstage
