#pragma once
/// What has to run over the recent past so that newcomers begin as if they had always been there. Private to
/// plan/.

#include <cstdint>
#include <vector>

#include "runtime/plan/arrangement.hpp"
#include "runtime/plan/compile/wiring.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

struct WarmWiring {
    Wiring wiring;
    std::vector<WarmSlot> slots;  ///< per part
    /// Per part: the node that it is or copies, of the new arrangement or of the old; the other is -1.
    std::vector<int> node_of_now, node_of_old;
    std::int64_t samples = 0;  ///< of history
};

/// The newcomers (indices into `now`) and all that they need upstream, back to the nearest recorded past:
/// what the node that they replace heard, what any other node heard through the same cables, or an input.
/// Nodes in between that already play are run as copies, fed as they were fed so far: what a newcomer hears
/// goes on without a break when its fade begins. Throws NodeRefused.
WarmWiring wire_warming(const Arrangement& old, const Arrangement& now, const std::vector<int>& newcomers,
                        const ArrangeConfig&);

}  // namespace gainstage
