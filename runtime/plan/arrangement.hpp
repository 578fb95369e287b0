#pragma once
/// A graph with its nodes built: which nodes live on, which are new, how late everything is, in which order
/// it runs.

#include <atomic>
#include <exception>
#include <memory>
#include <set>
#include <stdexcept>
#include <vector>

#include "runtime/graph/graph.hpp"
#include "runtime/plan/compile/feeds.hpp"
#include "runtime/plan/compile/order.hpp"
#include "runtime/plan/key_table.hpp"
#include "runtime/plan/memory_use.hpp"
#include "runtime/realtime/device_past.hpp"
#include "runtime/realtime/scene_table.hpp"

namespace gainstage {

struct Arrangement {
    Graph graph;                               ///< with the delays that align paths appended to its nodes
    std::vector<std::shared_ptr<Slot>> slots;  ///< per node
    Feeds feeds;                               ///< per node and input port; sources are node indices
    Order order;                               ///< of the nodes
    std::vector<int> node_of_key;              ///< by NodeKey; -1: not here. See node_of()
    DevicePast device_past;                    ///< of the channels that it reads
    MemoryUse memory;                          ///< what it takes
    std::vector<int> outputs;                  ///< nodes through which sound leaves
    std::shared_ptr<const SceneTable> scenes;  ///< once a change to it is planned
    int latency_samples = 0;                   ///< from the inputs to the outputs
    Problems problems;  ///< notes; errors, where nodes could not be built: then the rest means nothing

    /// The index of the node with this key; -1: there is none.
    int node_of(NodeKey key) const noexcept { return key < node_of_key.size() ? node_of_key[key] : -1; }
};

struct ArrangeConfig {
    double sample_rate_hz = 48'000.;
    int max_frames = 512;
    bool with_histories = true;  ///< off where nothing will play: they take megabytes
    std::size_t most_bytes = 0;  ///< it may take; more is refused. 0: no limit
    std::set<NodeKey> rebuild;   ///< nodes that are built anew (they come back from quarantine)
    /// Another thread sets it when nobody waits for the result any more: GivenUp is thrown soon. Null: nobody
    /// does.
    const std::atomic<bool>* given_up = nullptr;
};

/// Nobody waits for the result any more.
struct GivenUp : std::exception {
    const char* what() const noexcept override { return "given up"; }
};
inline void unless_given_up(const std::atomic<bool>* given_up) {
    if (given_up && given_up->load(std::memory_order_relaxed)) throw GivenUp();
}

/// Builds what `previous` (may be null) does not already have. Any thread but the audio thread, if no other
/// uses the key table meanwhile; of `previous` it reads only what never changes. A node that can't be built
/// is a problem with the node's place. Throws GivenUp, std::bad_alloc.
Arrangement arrange(Graph, const Arrangement* previous, KeyTable&, const ArrangeConfig&);

/// How much of the past makes a node exact to rounding: twice the time to -80 dB, or its exact memory if that
/// is less; longest_memory_s at most.
std::int64_t warm_samples(const Slot&, double rate_hz);

/// A node that can't be built, with the reason as the player reads it.
struct NodeRefused : std::runtime_error {
    explicit NodeRefused(Problem why) : std::runtime_error(why.text()), problem(std::move(why)) {}
    const Problem problem;
};
/// A new slot of this node of a graph. `file` is the patch, for messages. Throws NodeRefused, GivenUp,
/// std::bad_alloc.
std::shared_ptr<Slot> build_slot(NodeKey, const std::shared_ptr<const GraphNode>&, int loop_latency,
                                 const std::string& file, const ArrangeConfig&);

}  // namespace gainstage
