#pragma once
/// What a patch costs on this machine, block size by block size.

#include <string>
#include <vector>

#include "runtime/graph/graph.hpp"

namespace gainstage {

/// Times of blocks, in microseconds of this thread's time.
struct BlockTimes {
    double median_us = 0., p99_us = 0., max_us = 0.;
};

struct PatchCost {
    int frames = 0;
    double period_us = 0.;
    BlockTimes resting,
        moving;  ///< knobs at rest; every knob on its way, the worst phase of grids and networks
    double times_real_time = 0.;  ///< of the resting median
    double worst_phase_us = 0.;   ///< of the blocks with moving knobs: the median at the dearest phase
    double worst_share = 0.;      ///< the same, of the period
    std::string slowest_node;
    double slowest_share = 0.;  ///< of the period, on average
};

/// A block size is safe here when the worst phase leaves half of the period to the rest of the machine.
inline constexpr double safe_share = 0.5;

/// Windows and control grids make some blocks dearer than others, at phases that come back after so many
/// samples.
inline constexpr int phase_cycle_frames = 128;

/// Plays noise at -12 dBFS through the graph, `seconds` of it in each phase. Control thread.
PatchCost measure_patch(const Graph&, double sample_rate_hz, int frames, double seconds);

}  // namespace gainstage
