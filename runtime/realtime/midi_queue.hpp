#pragma once
/// The way of MIDI from a port's thread to the audio thread.

#include <boost/lockfree/spsc_queue.hpp>

#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

/// One producer (the port's thread), one consumer (the audio thread), wait-free. A MIDI cable carries some
/// 1,000 messages a second: the queue holds a second of them.
using MidiQueue = boost::lockfree::spsc_queue<StampedMidi, boost::lockfree::capacity<1024>>;

}  // namespace gainstage
