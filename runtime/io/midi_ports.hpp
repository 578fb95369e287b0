#pragma once
/// Which MIDI ports are there, and which of them did the player mean?

#include <string>

#include "runtime/io/midi_port.hpp"

namespace gainstage {

/// RtMidi's JACK is left out where the audio stream has JACK's MIDI: one client does for both.
enum class MidiApis { all, without_jack };

/// Every port that can be listened to, JACK's first; quiet about APIs whose server does not run. Control
/// thread. Throws DeviceError where a server does not answer.
MidiPorts list_midi_ports();

/// The port that the player meant: the one with this very name or alias, or the only one whose name or alias
/// holds it (capitals don't matter) in the first API that has such. Throws DeviceError, whose message lists
/// the ports.
const MidiPortInfo& choose_midi_port(const MidiPorts&, const std::string& name);

/// The same among ports of a JACK server and ports of RtMidi without JACK. A controller that both show is
/// taken from JACK, also where the player has written the other name.
const MidiPortInfo& choose_midi_port(const MidiPorts& jack, const MidiPorts& others, const std::string& name);

}  // namespace gainstage
