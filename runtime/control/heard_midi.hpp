#pragma once
/// What a controller has said, in words, and what the patch does with it.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/realtime/midi_decoder.hpp"

namespace gainstage {

/// One message of a controller, for people.
struct HeardMidi {
    std::string control = {};             ///< "ch 1 cc 21 = 64"; empty: nothing was heard yet
    std::string port = {};                ///< name of the port that it came in by
    std::vector<std::string> moves = {};  ///< targets of the mappings that listen, in the patch's order
    bool is_mapped = false;               ///< a mapping listens, or may: a half of a control that is mapped
    std::string value = {};  ///< where the first of them stands: "-29 dB"; empty: unknown, or no knob
    std::string waits = {};  ///< pick-up: "waits: turn up to 115"; empty: it moves its knob
};

/// "ch 1 cc 64 = 127 (not mapped)". Any thread.
std::string text_of(const HeardMidi&);
/// "ch 1 cc 21 = 64", "ch 1 program 5". Empty for a message of no bytes. Any thread.
std::string text_of(const MidiMessage&);

/// Listens to the messages that the room has applied. Control thread.
class MidiListener {
public:
    /// The present value of a target of the graph; nothing where it is unknown.
    using Value = std::function<std::optional<float>(const GraphTarget&)>;

    /// The name of each port, from 0 on.
    void set_ports(std::vector<std::string> names);
    const std::string& port_name(std::size_t port) const;
    void hear(const MidiMessage&, std::size_t port);
    /// The latest message. `playing`: the patch that heard it; null: none.
    HeardMidi latest(const Graph* playing, const Value&) const;

private:
    std::vector<std::string> names_;
    std::vector<MidiDecoder> decoders_;  // per port
    MidiMessage message_{};
    std::size_t port_ = 0;
    std::vector<MidiEvent> events_;  // of the message
};

}  // namespace gainstage
