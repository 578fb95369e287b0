#pragma once
/// What a JACK server has. Only for the files of this folder that see libjack.

#include <jack/jack.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/io/audio_devices.hpp"
#include "runtime/io/midi_port.hpp"

namespace gainstage {

struct CloseJack {
    void operator()(jack_client_t* client) const { jack_client_close(client); }
};
using JackHandle = std::unique_ptr<jack_client_t, CloseJack>;

/// Null: no server runs, or it takes no more clients. Starts none, prints nothing. Waits without an end for a
/// server that hangs.
JackHandle open_jack_client(const std::string& name);

/// JACK's devices are its clients: all that have audio ports. What another program plays is an input here.
AudioDevices jack_devices(jack_client_t*);

/// The full names of a device's audio ports, in its order. `flags`: JackPortIsOutput or JackPortIsInput.
std::vector<std::string> jack_audio_ports(jack_client_t*, const std::string& device, unsigned long flags);
/// Ports of others that send MIDI (`flags`: JackPortIsOutput) or take it (JackPortIsInput).
MidiPorts jack_midi_ports(jack_client_t*, unsigned long flags);

}  // namespace gainstage
