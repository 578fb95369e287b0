#include "runtime/realtime/transition.hpp"

#include <algorithm>

namespace gainstage {

namespace {

/// The slot's knob of that number; -1: it has none.
int own_knob(const Slot& slot, std::uint32_t number) noexcept {
    const auto at = std::find(slot.knob_numbers.begin(), slot.knob_numbers.end(), number);
    return at == slot.knob_numbers.end() ? -1 : static_cast<int>(at - slot.knob_numbers.begin());
}

void move_warm_scene(Warming& warming, const SceneCue& cue) noexcept {
    const auto table = std::find_if(warming.scenes.begin(), warming.scenes.end(),
                                    [&](const auto& one) { return one->number() == cue.table; });
    if (table == warming.scenes.end()) return;
    for (WarmSlot& warm : warming.slots) {
        const auto [first, count] = (*table)->knobs_of(warm.source);
        for (int k = first; k < first + count; ++k) {
            const SceneTable::Knob& knob = (*table)->knobs()[k];
            const int own = own_knob(*warm.slot, knob.number);
            if (own < 0) continue;
            move_by_cue(warm.slot->ramps[own], warm.slot->specs[own], (*table)->value(k, cue.state), knob,
                        cue);
        }
        if (count > 0) warm.slot->update_plain();
    }
}

}  // namespace

void move_warm_knob(Warming& warming, NodeKey key, std::int32_t param,
                    const Ramp& ramp) noexcept GAINSTAGE_REALTIME {
    if (is_cue(key)) return move_warm_scene(warming, cue_of(key, param, ramp));
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
