#pragma once
/// MIDI ports. Only midi_input.cpp sees RtMidi, which is behind most of them.

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/io/choose_device.hpp"
#include "runtime/io/midi_port.hpp"
#include "runtime/realtime/midi_queue.hpp"

namespace gainstage {

/// Every port that can be listened to, JACK's first; quiet about APIs whose server does not run. Control
/// thread. Throws DeviceError where a server does not answer.
MidiPorts list_midi_ports();

/// The port that the player meant: the one with this very name, or the only one whose name holds it (capitals
/// don't matter) in the first API that has such. Throws DeviceError, whose message lists the ports.
const MidiPortInfo& choose_midi_port(const MidiPorts&, const std::string& name);

/// RtMidi's JACK is left out where the audio stream has JACK's MIDI: one client does for both.
enum class MidiApis { all, without_jack };

/// A port with a thread of its own, which may be a real-time one. It stamps each channel message and puts it
/// into the queue.
class MidiInput final : public MidiPort {
public:
    /// Control thread. `name` as in choose_midi_port(); "virtual:NAME" makes a port of that name instead, for
    /// other programs to connect to ("gainstage-midi:NAME" in JACK). The queue must outlive this. Throws
    /// DeviceError.
    MidiInput(const std::string& name, MidiQueue& queue, MidiApis = MidiApis::all);
    ~MidiInput() override;

    const MidiPortInfo& port() const noexcept override;
    std::uint64_t received() const noexcept override;
    std::uint64_t dropped() const noexcept override;

private:
    class Port;
    std::shared_ptr<Port> open_;
};

/// Port `number` of a session, by the name that the player wrote. The stream's own MIDI comes first, and
/// makes the virtual ports; `stream` null: it has none. The queue is for ports that the stream does not have.
/// May take seconds. Throws DeviceError.
std::unique_ptr<MidiPort> open_midi_port(const std::string& name, int number, MidiQueue&, StreamMidi* stream);

}  // namespace gainstage
