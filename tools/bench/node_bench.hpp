#pragma once
/// The cost of one model by itself, without a graph around it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/node.hpp"

namespace gainstage {

/// Writes `frames` samples, computed from as many.
using Player = std::function<void(const float* in, float* out, int frames)>;

/// Cost of one channel of sound, by the clock of this machine.
struct BlockCost {
    int frames = 0;
    double median_ns = 0.;            ///< per sample, of runs of blocks that last some microseconds
    double p99_ns = 0., max_ns = 0.;  ///< per sample, of single blocks
};

/// Windows and control grids make some blocks more expensive than others, at phases that repeat after
/// phase_cycle_frames (patch_bench.hpp).
struct PhaseCost {
    double median_ns = 0.,
           worst_phase_ns = 0.;  ///< per sample: of all blocks, and at the most expensive phase
    double ratio() const { return worst_phase_ns / median_ns; }
};

/// A node alone, with its knobs at rest at their defaults, or all moving to and fro. In stereo both channels
/// get the same sound, and one output is returned.
class LoneNode {
public:
    LoneNode(const NodeType&, const std::shared_ptr<const Model>&, int channels = 1);
    void play(const float* in, float* out, int frames);
    void play_moving(const float* in, float* out, int frames);

private:
    std::unique_ptr<Node> node_;
    struct Range {
        float min, max;
    };
    std::vector<Range> ranges_;  ///< of the knobs
    std::vector<Ramp> ramps_;
    std::unique_ptr<std::atomic<float>[]> readings_;
    const int channels_;
    std::vector<float> other_;  ///< output of the other channel
    std::uint64_t time_ = 0;
};

/// Plays noise at -12 dBFS through each player in turn, `seconds` each, so that other work on the machine
/// affects all alike. Control thread.
std::vector<BlockCost> measure_players(const std::vector<Player>&, int frames, double seconds);
/// Plays `seconds` of noise through `player`.
PhaseCost measure_phases(const Player& player, int frames, double seconds);
/// Median of `takes` blocks, in microseconds, each after `empty` has emptied caches (machine.hpp).
double measure_cold_us(const Player&, int frames, int takes, void (*empty)());

}  // namespace gainstage
