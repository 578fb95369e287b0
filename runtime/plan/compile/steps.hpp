#pragma once
/// The steps of a wiring in order, before their buffers have memory. Private to plan/.

#include <array>
#include <vector>

#include "runtime/plan/compile/branches.hpp"
#include "runtime/plan/compile/layout.hpp"
#include "runtime/plan/compile/wiring.hpp"

namespace gainstage {

/// A port before its buffers have memory. Mono at a wider port: both channels name the same buffer.
struct PortIds {
    std::array<BufferId, max_channels> channel{silence, silence};
    int channels = 0;
};

struct StepList {
    std::vector<Step> steps;                ///< complete but for what they point to in a plan: ports, delays
    std::vector<PortIds> ports;             ///< of all steps: of each its inputs, then its outputs
    std::vector<std::vector<Slot*>> loops;  ///< the delays of each loop step, in the order of those steps
    std::vector<int> task_begins;  ///< first step of each task; empty: the plan is not cut into tasks
    int buffers = 1;               ///< how many there are, silence included
};

/// `branches` are made of the order's groups; with none, the steps simply follow the order. Any thread but
/// the audio thread.
StepList list_steps(const Wiring&, const Order&, const Branches&, const CompileOptions&);

}  // namespace gainstage
