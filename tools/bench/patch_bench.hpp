#pragma once
/// The cost of a patch on this machine, for each block size.

#include <string>
#include <vector>

#include "runtime/graph/graph.hpp"

namespace gainstage {

/// Times of blocks, in microseconds of CPU time of this thread.
struct BlockTimes {
    double median_us = 0., p99_us = 0., max_us = 0.;
};

struct PatchCost {
    int frames = 0;
    double period_us = 0.;
    BlockTimes resting,
        moving;              ///< knobs at rest; every knob on its way, the worst phase of grids and networks
    double silence_us = 0.;  ///< median of blocks of silence after the noise: denormals would show here
    double times_real_time = 0.;  ///< how many times faster than real time, from the resting median
    double worst_phase_us = 0.;   ///< with moving knobs: the median at the most expensive phase
    double worst_share = 0.;      ///< the same as a share of the period
    std::string slowest_node;
    double slowest_share = 0.;  ///< share of the period, usually
};

/// A block size is safe if even the worst phase leaves half of the period to the rest of the machine.
inline constexpr double safe_share = 0.5;

/// The gain from a second thread, in wall-clock time of blocks that follow each other without a pause.
struct ThreadGain {
    bool has_branches = false;        ///< branches that are worth sharing
    double one_us = 0., two_us = 0.;  ///< median of a block
    double shared = 0.;               ///< share of the blocks in which the second thread took part
    double times() const { return two_us > 0. ? one_us / two_us : 1.; }
};
ThreadGain measure_threads(const Graph&, double sample_rate_hz, int frames, double seconds);

/// Windows and control grids make some blocks more expensive than others. The pattern repeats after this many
/// samples.
inline constexpr int phase_cycle_frames = 128;

/// Plays noise at -12 dBFS through the graph, `seconds` of it in each phase. Control thread.
PatchCost measure_patch(const Graph&, double sample_rate_hz, int frames, double seconds);

}  // namespace gainstage
