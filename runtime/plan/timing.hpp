#pragma once
/// Where a patch's latency comes from, and at which rate its models play.

#include <string>
#include <vector>

#include "runtime/plan/arrangement.hpp"
#include "runtime/plan/build_node.hpp"

namespace gainstage {

struct NodeTiming {
    std::string node;            ///< id
    RateWay way = RateWay::own;  ///< how it plays its model
    double model_rate_hz = 0.;   ///< 0: no model
    int latency_samples = 0;     ///< of the stream, in all
    int resampler_samples = 0;   ///< that part of it; the rest is the node's own, to the nearest sample
    bool counts = false;         ///< on the slowest way through, whose latency is the patch's
};

/// Any thread but the audio thread. Lists the nodes with latency and those that play at another rate than
/// their model's, in the order of the patch.
std::vector<NodeTiming> timing_of(const Arrangement&, double device_rate_hz);
/// Of one node.
NodeTiming timing_of(const Slot&, double device_rate_hz);

}  // namespace gainstage
