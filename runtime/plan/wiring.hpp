#pragma once
/// Built nodes and the cables between them: what a plan is compiled from. Steady patches, the time of a
/// cross-fade and the warming of newcomers are all such wirings.

#include <memory>
#include <vector>

#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// Where sound comes from: an output of a part, or (part < 0) the recalled past number ~part.
struct Source {
    int part = 0, port = 0;
    bool operator==(const Source&) const = default;
};
/// What enters a port: its sources, added in this order.
using Feed = std::vector<Source>;

struct WiredInput {
    Feed feed;
    bool fades = false;  ///< while the plan's fade runs: from `old_feed` to `feed`
    Feed old_feed;
};

struct WiredPart {
    std::shared_ptr<Slot> slot;
    std::vector<WiredInput> inputs;  ///< per input port of the type
    bool remembers = true;           ///< writes its slot's histories (a newcomer that shares one waits)
};

struct Wiring {
    std::vector<WiredPart> parts;
    std::vector<std::shared_ptr<History>> recalls;
};

struct CompileOptions {
    int max_frames = 512;
    bool watch = true;
    const FadeCurve* fade = nullptr;
    int threads = 1;              ///< 1: the plan is not cut into tasks
    double least_branch_ns = 0.;  ///< what a branch must cost in a block of max_frames
};

/// Result: a plan, or the parts of a loop without a delay.
struct Compiled {
    std::unique_ptr<Plan> plan;
    std::vector<int> bad_cycle;
};

/// Control thread. All memory that the plan will use is allocated and touched here.
Compiled compile(const Wiring&, const CompileOptions&);

}  // namespace gainstage
