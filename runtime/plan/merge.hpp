#pragma once
/// Old and new side by side. Private to plan/.

#include "runtime/plan/arrangement.hpp"
#include "runtime/plan/compile/wiring.hpp"

namespace gainstage {

/// Parts are the nodes of the new arrangement, then those nodes of the old one that leave.
struct Merged {
    Wiring wiring;                 ///< `before` has no parts where nothing fades
    std::vector<int> part_of_old;  ///< per node of the old arrangement
};

/// Nodes that live on run once. The fades sit where old and new meet: at the inputs of nodes that live on,
/// and at the outputs of the patch.
Merged merge(const Arrangement& old, const Arrangement& now);

}  // namespace gainstage
