#include "runtime/realtime/transition.hpp"

#include <algorithm>

namespace gainstage {

void move_warm_knob(Warming& warming, NodeKey key, std::int32_t param,
                    const Ramp& ramp) noexcept GAINSTAGE_REALTIME {
    if (key == every_node)
        for (const auto& slot : warming.plan.slots) slot->reset();
    if (param < 0) return;  // of a knob that the node no longer has
    for (WarmSlot& warm : warming.slots) {
        if (warm.source != key || param >= static_cast<std::int32_t>(warm.param_of_source.size())) continue;
        const int own = warm.param_of_source[param];
        if (own < 0) continue;
        const auto index = static_cast<std::size_t>(own);
        warm.slot->ramps[index] = within_range(warm.slot->specs[index], ramp);
        warm.slot->update_plain();
    }
}

WarmFailure run_warming(Warming& warming, std::uint64_t stop) noexcept GAINSTAGE_REALTIME {
    const int frames = static_cast<int>(stop - warming.time);
    const DeviceBlock past = warming.device.block();  // in place of the hardware
    Piece piece{.time = warming.time, .frames = frames, .device = &past};
    piece.history_lost = !warming.device.recall(warming.time, frames);
    run_plan(warming.plan, piece);
    warming.time = stop;
    if (piece.history_lost) return WarmFailure::history_lost;
    if (piece.trip_count > 0) return WarmFailure::newcomer_tripped;
    return WarmFailure::none;
}

}  // namespace gainstage
