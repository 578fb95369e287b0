#pragma once
/// Which parts of a graph are worth running beside each other.

#include <cstdint>
#include <vector>

#include "runtime/realtime/tasks.hpp"

namespace gainstage {

/// What runs as a whole: a node, or a loop.
struct Unit {
    std::vector<int> sources;  ///< units that feed it, all before it; may name one twice
    double ns = 0.;            ///< cost of a sample
    bool stays = false;        ///< on the audio thread: it has to do with the device
};

/// Units that one thread runs in order.
struct Branch {
    std::vector<int> units;  ///< ascending
    TaskSet needs = 0;       ///< branches that must be over first, all before this one
    bool anyone = false;     ///< worth handing to another thread
};

struct Branches {
    std::vector<Branch> list;  ///< together all units; empty: nothing is worth sharing
    double second_ns = 0.;     ///< what a sample costs in the cheapest of those that are worth it
};

/// Control thread. A chain (units that feed nobody but each other) that costs at least `least_ns` a sample
/// and has another one beside it becomes a branch of its own; what lies before, between and after them stays
/// on the audio thread. At most `max_tasks` branches, the dearest first where there is a choice.
Branches find_branches(const std::vector<Unit>&, double least_ns);

/// What a sample costs in this slot: as measured while it played, else by the number of its weights.
double cost_ns(const Slot&);

}  // namespace gainstage
