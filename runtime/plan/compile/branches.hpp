#pragma once
/// Which parts of a graph are worth running beside each other. Private to plan/.

#include <cstdint>
#include <vector>

#include "runtime/realtime/tasks.hpp"

namespace gainstage {

/// What runs as a whole: a node, or a loop.
struct Unit {
    std::vector<int> sources;  ///< units that feed it, all before it; may name one twice
    double ns = 0.;            ///< cost of a sample
    bool stays = false;        ///< runs on the audio thread: it reads or writes the device
};

/// Units that one thread runs in order.
struct Branch {
    std::vector<int> units;  ///< ascending
    TaskSet needs = 0;       ///< branches that must have run; all stand before this one
    bool anyone = false;     ///< worth handing to another thread
};

struct Branches {
    std::vector<Branch> list;  ///< together all units; empty: nothing is worth sharing
    double second_ns = 0.;     ///< what a sample costs in the cheapest branch that may be handed over
};

/// A chain (units that feed nobody but each other) becomes a branch of its own if it costs at least
/// `least_ns` a sample and another such chain stands beside it. The rest stays on the audio thread. There are
/// at most `max_tasks` branches; the most expensive come first. Any thread but the audio thread.
Branches find_branches(const std::vector<Unit>&, double least_ns);

/// What a sample costs in this slot: measured while it played, else estimated from the number of its weights.
/// Any thread.
double cost_ns(const Slot&);

}  // namespace gainstage
