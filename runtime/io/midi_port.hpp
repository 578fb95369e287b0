#pragma once
/// An open MIDI port, whoever is behind it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gainstage {

struct MidiPortInfo {
    std::string api;   ///< "jack", "alsa", "core"
    std::string name;  ///< JACK: "client:port"
    /// JACK: other names of the port. A server that opens the hardware itself calls a port
    /// "system:midi_capture_1", and only its alias names the controller.
    std::vector<std::string> aliases = {};
};

using MidiPorts = std::vector<MidiPortInfo>;

/// Begins a name that makes a port, in place of one that is there: "virtual:NAME".
inline constexpr const char* virtual_prefix = "virtual:";

/// Open from construction to destruction. System messages (SysEx, clock, active sensing) are passed over.
class MidiPort {
public:
    MidiPort() = default;
    MidiPort(const MidiPort&) = delete;
    MidiPort& operator=(const MidiPort&) = delete;
    virtual ~MidiPort() = default;

    virtual const MidiPortInfo& port() const noexcept = 0;
    /// Messages that went on to the audio thread. Any thread.
    virtual std::uint64_t received() const noexcept = 0;
    /// Messages that found no room, and are lost. Any thread.
    virtual std::uint64_t dropped() const noexcept = 0;
};

/// The MIDI ports of an audio stream: their messages come with the stream's blocks. May outlive the stream,
/// and opens nothing then. Any thread but the audio thread; calls may take seconds.
class StreamMidi {
public:
    virtual ~StreamMidi() = default;

    /// The ports that it could listen to. Throws DeviceError.
    virtual MidiPorts ports() = 0;
    /// Listens to one of them by its full name, or makes "virtual:NAME". Its messages are those of port
    /// `number` in AudioBlock::midi: 0 to AudioRequest::midi_ports - 1, each once. Throws DeviceError.
    virtual std::unique_ptr<MidiPort> open(int number, const std::string& name) = 0;
};

}  // namespace gainstage
