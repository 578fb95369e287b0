#pragma once
/// From one arrangement to the next: what fades where, who is warmed on what.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/plan/arrangement.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

struct ChangeConfig {
    ArrangeConfig arrange;
    bool watch = true;
    int threads = 1;                ///< that share a plan's branches; 1: plans are not cut into branches
    std::uint32_t scene_table = 0;  ///< number of the scenes' table; no other one has it
    double least_branch_ns =
        0.;  ///< what a branch must cost in a block of max_frames to be worth a hand-over
};

/// A transition, and what the engine has to know about it.
struct Change {
    /// Null where `problems` has errors. The engine gives its warming, if there is one, its start and runs
    /// it.
    std::unique_ptr<Transition> transition;
    std::int64_t warm_samples = 0;     ///< how much history the warming wants
    std::vector<std::string> swapped;  ///< ids of nodes that another instance replaces
    Problems problems;  ///< what the player should know; errors: a node could not be built again
};

/// Any thread but the audio thread, if no other writes the key table meanwhile; of `old` it reads what never
/// changes, and the measured cost of its slots. A node that would have to run in two orders at once gets a
/// second instance in `now`. `old` is null for the first patch of a stream.
Change plan_change(const Arrangement* old, Arrangement& now, const KeyTable&, const ChangeConfig&);

/// For every knob of `to`, bypass and mute included, the index of the knob of the same name in `from`; -1:
/// none. Any thread.
std::vector<int> params_by_name(const Slot& to, const Slot& from);

/// A raised cosine from 0 to 1 over `samples` (W. Wells, "raised cosine": 0.5 - 0.5 cos), ends not included.
FadeCurve raised_cosine(int samples);

}  // namespace gainstage
