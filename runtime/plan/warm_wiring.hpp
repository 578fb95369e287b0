#pragma once
/// Which nodes run over the recent past, so that newcomers begin as if they had always been there. Private to
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
    DevicePast device_past;    ///< what its inputs hear; null channels are silent
    std::int64_t samples = 0;  ///< of the past that it wants
};

/// Wires the newcomers (indices into `now`) and all that they need upstream, back to the nearest recorded
/// past: of the node that they replace, of any other node that hears the same cables, or of the device. Nodes
/// in between that already play run as copies and hear what they heard so far, so what a newcomer hears goes
/// on without a break when its fade begins. Throws NodeRefused.
WarmWiring wire_warming(const Arrangement& old, const Arrangement& now, const std::vector<int>& newcomers,
                        const ArrangeConfig&);

}  // namespace gainstage
