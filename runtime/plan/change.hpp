#pragma once
/// From one arrangement to the next: what fades where, who is warmed on what.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/plan/arrangement.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

struct ChangeConfig {
    ArrangeConfig arrange;
    bool watch = true;
    int threads = 1;  ///< see CompileOptions
    double least_branch_ns = 0.;
};

struct Change {
    std::unique_ptr<Transition>
        transition;                    ///< its warming, if any, still has to be given its start and to run
    std::int64_t warm_samples = 0;     ///< how much history the warming wants
    std::vector<std::string> swapped;  ///< ids of nodes that another instance replaces
    std::vector<std::string> notes;    ///< what the player should know
};

/// Control thread. `now` may get own instances of nodes that would otherwise have to run in two orders at
/// once. `old` is null for the first patch of a stream. Throws what node constructors throw (only for nodes
/// built before).
Change plan_change(const Arrangement* old, Arrangement& now, const KeyTable&, const ChangeConfig&);

/// A raised cosine from 0 to 1 over `samples` (W. Wells, "raised cosine": 0.5 - 0.5 cos), ends not included.
FadeCurve raised_cosine(int samples);

}  // namespace gainstage
