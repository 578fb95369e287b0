#pragma once
/// The steps of a plan as tasks: who needs whom, and what passes between them. Private to plan/.

#include <memory>
#include <utility>
#include <vector>

#include "runtime/plan/compile/branches.hpp"
#include "runtime/plan/compile/wiring.hpp"

namespace gainstage {

/// Task t begins at step begins[t]. `shared`: buffers that more than one task touches, with their stand-ins.
/// Any thread but the audio thread.
std::unique_ptr<Tasks> make_tasks(const Plan&, const Branches&, const std::vector<int>& begins,
                                  const std::vector<std::pair<float*, float*>>& shared);

/// The shortest piece in which the cheapest branch is worth half of its hand-over.
int least_frames(const Branches&, const CompileOptions&);

}  // namespace gainstage
