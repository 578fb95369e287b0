#include "runtime/realtime/change_seat.hpp"

#include <algorithm>

namespace gainstage {

void ChangeSeat::take(Transition& transition, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    pending_ = &transition;
    warm_ = !pending_->warming || pending_->warming->time == now;
}

std::uint64_t ChangeSeat::next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME {
    const std::uint64_t fade_end = fading_ ? fade_start_ + fading_->curve.size() : never;
    const bool waits = pending_ && pending_->stamp > now;
    return waits ? std::min(fade_end, pending_->stamp) : fade_end;
}

bool ChangeSeat::finish_if_due(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!fading_) return false;
    if (fading_->during && now < fade_start_ + fading_->curve.size()) return false;
    use(*fading_->after);
    for (TargetSlot& target : score_->targets) target.leaving = nullptr;
    Transition& over = *fading_;
    fading_ = nullptr;
    over.over_at = now;
    over.stage.store(Transition::Stage::over, std::memory_order_release);
    return true;
}

/// A change with a stamp still has to hear what this block has played so far. If it is further behind, it
/// begins late, when it has caught up; offline it catches up at once, however long that takes.
ChangeSeat::Due ChangeSeat::due(std::uint64_t now, std::uint64_t block_begin) noexcept GAINSTAGE_REALTIME {
    if (!pending_ || fading_) return Due::no;
    const bool any_time = pending_->stamp == Event::at_once;
    if (any_time ? !warm_ : now < pending_->stamp) return Due::no;
    if (!pending_->warming || pending_->warming->time == now) return Due::now;
    if (!pending_->offline && pending_->warming->time < block_begin) return Due::no;
    const WarmFailure failure = warm_until(now, never);
    if (failure == WarmFailure::none) return Due::now;
    fail(failure, now);
    return Due::failed;
}

const std::vector<KnobMove>& ChangeSeat::begin(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    fading_ = pending_;
    pending_ = nullptr;
    fade_start_ = now;
    for (const StateCopy& copy : fading_->copies)  // a state that went wrong is left behind
        if (!copy.from->quarantine.tripped) copy.to->copy_state(*copy.from);
    for (TargetSlot& target : fading_->score->targets) inherit_knobs(target);
    if (score_) fading_->score->midi->adopt(*score_->midi);
    take_scene();
    score_ = fading_->score.get();
    use(fading_->during ? *fading_->during : *fading_->after);
    fading_->begun_at = now;
    fading_->stage.store(Transition::Stage::begun, std::memory_order_release);
    return fading_->moves;
}

/// After the block, so that the last sample of the past is there. The fade, which runs old and new side by
/// side, begins with the next one.
bool ChangeSeat::catch_up(std::uint64_t now, int frames) noexcept GAINSTAGE_REALTIME {
    if (!pending_ || !pending_->warming || fading_) return false;
    const auto block = static_cast<std::uint64_t>(frames);
    const WarmFailure failure = warm_until(now, block + std::max<std::uint64_t>(block / 4, 16));
    warm_ = failure == WarmFailure::none && pending_->warming->time == now;
    if (failure == WarmFailure::none) return false;
    fail(failure, now);
    return true;
}

void ChangeSeat::fail(WarmFailure failure, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    Transition& failed = *pending_;
    pending_ = nullptr;
    failed.failure = failure;
    failed.over_at = now;
    failed.stage.store(Transition::Stage::failed, std::memory_order_release);
}

void ChangeSeat::use(Plan& plan) noexcept GAINSTAGE_REALTIME {
    plan_ = &plan;
    if (crew_) crew_->leave_out_the_lost(plan);
}

/// A newcomer's knobs stand and move exactly like those of the instance that it replaces.
void ChangeSeat::inherit_knobs(TargetSlot& target) noexcept GAINSTAGE_REALTIME {
    if (!target.leaving) return;
    for (std::size_t p = 0; p < target.leaving_param.size(); ++p)
        if (target.leaving_param[p] >= 0)
            target.slot->ramps[p] =
                within_range(target.slot->specs[p], target.leaving->knobs()[target.leaving_param[p]]);
    target.slot->update_plain();
}

/// The scene goes on under its name. Knobs that nobody had before stand where it wants them; those whose
/// value in it the edit changed move there.
void ChangeSeat::take_scene() noexcept GAINSTAGE_REALTIME {
    Score& score = *fading_->score;
    const SceneTable& table = *score.scenes;
    SceneState before = score_ ? score_->scene : SceneState();
    score.scene = score_ ? table.adopt(*score_->scenes, before) : table.start();
    fading_->scene = score.scene;
    for (const int k : fading_->fresh_knobs) {
        const SceneTable::Knob& knob = table.knobs()[k];
        Slot& slot = *score.targets[knob.node].slot;
        slot.ramps[knob.param] = settled(nearest_value(slot.specs[knob.param], table.value(k, score.scene)));
        slot.update_plain();
    }
    for (const SceneMove& move : fading_->scene_moves) {
        const float was = move.old_knob < 0 ? move.old_value : score_->scenes->value(move.old_knob, before),
                    now = move.new_knob < 0 ? move.new_value : table.value(move.new_knob, score.scene);
        if (was != now) fading_->moves.push_back({move.slot, move.param, now});  // there is room
    }
}

/// Runs the newcomers over the recorded past up to `end`, at most `budget` samples of it.
WarmFailure ChangeSeat::warm_until(std::uint64_t end, std::uint64_t budget) noexcept GAINSTAGE_REALTIME {
    Warming& warming = *pending_->warming;
    end = std::min(end, budget > end ? end : warming.time + budget);
    while (warming.time < end) {
        if (!trail_.reaches(warming)) return WarmFailure::knobs_lost;
        const std::uint64_t piece = std::min(end, warming.time + static_cast<std::uint64_t>(max_frames_));
        const WarmFailure failure = run_warming(warming, trail_.move_due(warming, piece));
        if (failure != WarmFailure::none) return failure;
    }
    return WarmFailure::none;
}

}  // namespace gainstage
