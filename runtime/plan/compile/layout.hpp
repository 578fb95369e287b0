#pragma once
/// Where the sound of a plan lies in memory. Private to plan/.
///
/// The law: a buffer keeps its place from the step that writes it to the last that reads it, and no other
/// buffer is written there meanwhile; what a step writes never lies where it reads; two tasks touch the same
/// place only where one hears the other, and such a crossing has its place, and that of its stand-in, to
/// itself for good.

#include <span>
#include <vector>

namespace gainstage {

/// A buffer of one channel by number, before it has memory.
using BufferId = int;
/// Reads as zero; nobody writes it.
inline constexpr BufferId silence = 0;

/// What one step does to buffers. It may name one twice.
struct StepBuffers {
    std::span<const BufferId> reads, writes;
    int task = 0;  ///< never falls from one step to the next
};

struct Layout {
    static constexpr int none = -1;
    int places = 0;             ///< how many buffers of memory it takes
    std::vector<int> place;     ///< per buffer; none: no step writes it
    std::vector<int> stand_in;  ///< per buffer, for a crossing between tasks; else none
};

/// Gives every buffer (0 .. buffers - 1) a place, in as little memory as the law allows. The place that was
/// freed last is taken first, so a chain stays in the nearest cache. Any thread but the audio thread.
Layout lay_out(std::span<const StepBuffers>, int buffers);

}  // namespace gainstage
