#pragma once
/// An open MIDI port, whoever is behind it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/realtime/midi_message.hpp"

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

/// A port that sends. Open from construction to destruction. It holds 1,024 messages that are not due yet.
class MidiOutput {
public:
    MidiOutput() = default;
    MidiOutput(const MidiOutput&) = delete;
    MidiOutput& operator=(const MidiOutput&) = delete;
    virtual ~MidiOutput() = default;

    virtual const MidiPortInfo& port() const noexcept = 0;
    /// Never waits. One thread at a time, and never the audio thread. `due`: sample of the stream, counted
    /// from its first block. A port of the stream sends the message with the very sample, or with the next
    /// block where that is over; any other port has no such clock, and sends at once. Messages leave in the
    /// order in which they were given. False: no room, the message is lost.
    virtual bool send(const MidiMessage&, std::uint64_t due = 0) noexcept = 0;
    /// Messages that have left. Any thread.
    virtual std::uint64_t sent() const noexcept = 0;
    /// Messages that found no room, or that the library did not take. Any thread.
    virtual std::uint64_t dropped() const noexcept = 0;
};

/// The MIDI ports of an audio stream: their messages come and leave with the stream's blocks. May outlive the
/// stream, and opens nothing then. Any thread but the audio thread; calls may take seconds.
class StreamMidi {
public:
    virtual ~StreamMidi() = default;

    /// The ports that it could listen to. Throws DeviceError.
    virtual MidiPorts ports() = 0;
    /// Listens to one of them by its full name, or makes "virtual:NAME". Its messages are those of port
    /// `number` in AudioBlock::midi: 0 to AudioRequest::midi_ports - 1, each once. Throws DeviceError.
    virtual std::unique_ptr<MidiPort> open(int number, const std::string& name) = 0;

    /// The ports that it could send to. Throws DeviceError.
    virtual MidiPorts destinations() = 0;
    /// Sends to one of them by its full name, or makes "virtual:NAME". `number`: as above, each once; for the
    /// way back to the controller of that number. Throws DeviceError.
    virtual std::unique_ptr<MidiOutput> open_output(int number, const std::string& name) = 0;
};

}  // namespace gainstage
