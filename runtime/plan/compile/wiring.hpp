#pragma once
/// Built nodes and the cables between them: what a plan is compiled from. Private to plan/. A steady patch,
/// the time of a cross-fade and the warming of newcomers are all such wirings.

#include <memory>
#include <vector>

#include "runtime/plan/compile/feeds.hpp"
#include "runtime/plan/compile/order.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

struct Wiring {
    std::vector<std::shared_ptr<Slot>> slots;  ///< per part
    Feeds feeds;                               ///< per part; sources are parts, or recalls
    /// Of a cross-fade: what each port hears while the old patch plays, in the shape of `feeds`. A port whose
    /// two feeds differ fades from this one to that one. No parts: nothing fades.
    Feeds before;
    /// Per part: it writes its slot's histories (a newcomer that shares one with a leaving node waits).
    /// Empty: every part does.
    std::vector<bool> remembers;
    std::vector<std::shared_ptr<History>> recalls;

    bool fades(int part, int port) const {
        return before.parts() > 0 && !same_feed(before.feed(part, port), feeds.feed(part, port));
    }
};

struct CompileOptions {
    int max_frames = 512;
    bool watch = true;
    float ceiling = 15.85f;  ///< of models and of nodes in a loop, linear
    const FadeCurve* fade = nullptr;
    int threads = 1;              ///< 1: the plan is not cut into tasks
    double least_branch_ns = 0.;  ///< what a branch must cost in a block of max_frames
};

/// For every part, the parts that it hears, before a fade or after.
SourceLists sources_of(const Wiring&);
/// For every part: it may close a loop.
std::vector<bool> breakers_of(const Wiring&);

/// The order must have no bad cycle. All memory that the plan will use is allocated and touched here. Any
/// thread but the audio thread.
std::unique_ptr<Plan> compile(const Wiring&, const Order&, const CompileOptions&);

}  // namespace gainstage
