#pragma once
/// A graph with its nodes built: who survives from before, who is new, how late everything is.

#include <functional>
#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/plan/wiring.hpp"

namespace gainstage {

/// Node ids as numbers, for as long as the engine lives.
class KeyTable {
public:
    NodeKey key(const std::string& id);
    const std::string& id(NodeKey key) const { return ids_[key]; }
    std::size_t size() const { return ids_.size(); }

private:
    std::unordered_map<std::string, NodeKey> keys_;
    std::vector<std::string> ids_;
};

struct Arrangement {
    Graph graph;                               ///< with the delays that align paths appended to its nodes
    std::vector<std::shared_ptr<Slot>> slots;  ///< per node
    std::vector<std::vector<Feed>> feeds;      ///< per node and input port; sources are node indices
    std::vector<int> arrival_samples;          ///< per node: how late its inputs are
    int latency_samples = 0;                   ///< from the inputs to the outputs
    Problems problems;  ///< notes; errors, where nodes could not be built: then the rest means nothing
};

struct ArrangeConfig {
    double sample_rate_hz = 48'000.;
    int max_frames = 512;
    bool with_histories = true;  ///< off where nothing will play: they take megabytes
    std::set<NodeKey> rebuild;   ///< nodes that must not survive (they come back from quarantine)
};

/// Control thread. Builds what `previous` (may be null) does not already have.
Arrangement arrange(Graph, const Arrangement* previous, KeyTable&, const ArrangeConfig&);

/// How much of the past is needed for a part to be exact to rounding: twice the time to -80 dB, within the
/// limit.
std::int64_t warm_samples(const Slot&, double rate_hz);

/// A new slot of the same node, built from its description. Throws what the node's constructor throws.
std::shared_ptr<Slot> build_slot(NodeKey, const GraphNode&, int loop_latency, const ArrangeConfig&);

/// The steady wiring.
Wiring wire(const Arrangement&);

}  // namespace gainstage
