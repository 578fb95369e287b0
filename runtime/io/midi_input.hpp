#pragma once
/// MIDI ports. What lies behind (RtMidi) is seen by midi_input.cpp only.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/io/choose_device.hpp"
#include "runtime/realtime/midi_queue.hpp"

namespace gainstage {

struct MidiPortInfo {
    std::string api;   ///< "jack", "alsa", "core"
    std::string name;  ///< JACK: "client:port"
};

using MidiPorts = std::vector<MidiPortInfo>;

/// Every port that can be listened to, JACK's first; quiet about APIs whose server does not run. Control
/// thread. Throws DeviceError where a server does not answer.
MidiPorts list_midi_ports();

/// The port that the player meant: the one with this very name, or the only one whose name holds it (capitals
/// don't matter) in the first API that has such. Throws DeviceError, whose message lists the ports.
const MidiPortInfo& choose_midi_port(const MidiPorts&, const std::string& name);

/// An open port, from construction to destruction. Its thread, which may be a real-time one, stamps each
/// channel message and puts it into the queue; system messages (SysEx, clock, active sensing) are passed
/// over.
class MidiInput {
public:
    /// Control thread. `name` as in choose_midi_port(); "virtual:NAME" makes a port of that name instead, for
    /// other programs to connect to ("gainstage-midi:NAME" in JACK). The queue must outlive this. Throws
    /// DeviceError.
    MidiInput(const std::string& name, MidiQueue& queue);
    ~MidiInput();

    const MidiPortInfo& port() const noexcept;
    /// Messages that were put into the queue. Any thread.
    std::uint64_t received() const noexcept;
    /// Messages that found the queue full, and are lost. Any thread.
    std::uint64_t dropped() const noexcept;

private:
    class Port;
    std::shared_ptr<Port> open_;
};

}  // namespace gainstage
