#pragma once
/// The way of MIDI from a port's thread to the audio thread.

#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>

#include "runtime/realtime/flood.hpp"
#include "runtime/realtime/midi_message.hpp"
#include "runtime/realtime/touch.hpp"

namespace gainstage {

/// One producer (the port's thread), one consumer (the audio thread), wait-free.
class MidiQueue : public boost::lockfree::spsc_queue<StampedMidi> {
public:
    /// Touches all its memory. Control thread.
    explicit MidiQueue(int messages = QueueSizes().midi) : spsc_queue(static_cast<std::size_t>(messages)) {
        touch(*this, StampedMidi{});
    }
};

}  // namespace gainstage
