#pragma once
/// A piece of the stream, as a plan is asked to play it.

#include <cstdint>

#include "runtime/realtime/slot.hpp"

namespace gainstage {

/// One run of a plan over one piece of the stream.
struct Piece {
    std::uint64_t time = 0;
    int frames = 0;
    std::uint64_t fade_start = 0;  ///< stream sample at which the plan's fade began
    const DeviceBlock* device = nullptr;
    double latch_window_samples = 0.;    ///< three trips within it latch a node to bypass
    int timed_begin = 0, timed_end = 0;  ///< steps whose cost is measured this time
    bool history_lost = false;           ///< a recall came too late (warming only)
    int trip_count = 0;                  ///< nodes that tripped meanwhile; their slots say how
};

}  // namespace gainstage
