#pragma once
/// One block as a driver hands it to the program.

#include <span>

#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

/// A message that came with a block.
struct BlockMidi {
    int port = 0;   ///< counted from 0, in the order in which the ports were asked for
    int frame = 0;  ///< of the block at which it is due
    MidiMessage message;
};

/// Valid during one callback.
struct AudioBlock {
    const float* const* in = nullptr;  ///< `in[channel][frame]`
    float* const* out = nullptr;       ///< the same, to be written, every frame
    int frames = 0;
    bool input_overflow = false;    ///< before this block input was lost: it came too fast
    bool output_underflow = false;  ///< before this block output was lost: it came too late
    /// The driver does not keep time and waits for the callback: nothing needs to be lost.
    bool freewheels = false;
    std::span<const BlockMidi> midi = {};  ///< port by port, each by frame
};

}  // namespace gainstage
