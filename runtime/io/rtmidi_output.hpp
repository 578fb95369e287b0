#pragma once
/// MIDI ports that send through RtMidi, and the choice between those and the audio stream's own.

#include <memory>
#include <string>

#include "runtime/io/midi_port.hpp"
#include "runtime/io/midi_ports.hpp"

namespace gainstage {

/// A port with a thread of its own, for RtMidi may wait for its server. Each message leaves as soon as that
/// thread comes to it.
class RtMidiOutput final : public MidiOutput {
public:
    /// Control thread. `name` as in choose_midi_port(), among the ports that can be sent to; "virtual:NAME"
    /// makes a port of that name instead ("gainstage-midi:NAME" in JACK). Throws DeviceError.
    explicit RtMidiOutput(const std::string& name, MidiApis = MidiApis::all);
    /// What has not left yet is lost.
    ~RtMidiOutput() override;

    const MidiPortInfo& port() const noexcept override;
    bool send(const MidiMessage&, std::uint64_t due = 0) noexcept override;
    std::uint64_t sent() const noexcept override;
    std::uint64_t dropped() const noexcept override;

private:
    class Port;
    std::shared_ptr<Port> open_;
};

/// Every port that can be sent to, JACK's first. Control thread. Throws DeviceError where a server does not
/// answer.
MidiPorts list_midi_destinations();

/// A port to send by, by the name that the player wrote. The stream's own MIDI comes first, and makes the
/// virtual ports; there it has `number`. `stream` null: it has none. May take seconds. Throws DeviceError.
std::unique_ptr<MidiOutput> open_midi_output(const std::string& name, int number, StreamMidi* stream);

}  // namespace gainstage
