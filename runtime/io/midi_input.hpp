#pragma once
/// MIDI ports that are heard through RtMidi, and the choice between those and the audio stream's own.

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/io/midi_port.hpp"
#include "runtime/io/midi_ports.hpp"
#include "runtime/realtime/midi_queue.hpp"

namespace gainstage {

/// A port with a thread of its own, which may be a real-time one. It stamps each channel message with the
/// time at which it arrived, as RtMidi tells it, and puts it into the queue.
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
