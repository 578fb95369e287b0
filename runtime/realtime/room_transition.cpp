/// The audio thread's part of a change: catching up with the stream, the fade, handing back.

#include <algorithm>

#include "runtime/realtime/audio_room.hpp"

namespace gainstage {

/// A change that begins at a sample comes before the events of that sample.
void AudioRoom::change_if_due() noexcept {
    if (fading_ && now_ >= fade_start_ + fading_->curve.size()) finish_transition();
    hand_back();
    if (!pending_ || fading_ || handback_.transition) return;
    const bool any_time = pending_->stamp == Event::at_once;
    if (any_time ? !warm_ : now_ < pending_->stamp) return;
    if (!pending_->offline && !can_tell_of(*pending_)) {
        stats_.swaps_postponed.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    if (pending_->warming && pending_->warming->time != now_) {
        // A change with a stamp of its own has a rest to run: what played of this block. One that is further
        // behind begins late, when it has caught up.
        const std::uint64_t block_begin = published_now_.load(std::memory_order_relaxed);
        if (!pending_->offline && pending_->warming->time < block_begin) return;
        const WarmFailure failure = warm_until(now_, ~std::uint64_t{0});
        if (failure != WarmFailure::none) return fail_transition(failure);
    }
    begin_transition();
}

/// A change of which no report could be made would be missing from the log of the take.
bool AudioRoom::can_tell_of(const Transition& transition) noexcept {
    constexpr std::size_t events_meanwhile = 64;
    return reports_.write_available() > 2 * transition.moves.size() + events_meanwhile;
}

void AudioRoom::begin_transition() noexcept {
    fading_ = pending_;
    pending_ = nullptr;
    fade_start_ = now_;
    for (const StateCopy& copy : fading_->copies)  // a state that went wrong is left behind
        if (!copy.from->quarantine.tripped) copy.to->copy_state(*copy.from);
    for (TargetSlot& target : fading_->score->targets) inherit_knobs(target);
    if (score_) fading_->score->midi->adopt(*score_->midi);
    score_ = fading_->score.get();
    take_plan(fading_->during ? fading_->during.get() : fading_->after.get());
    report({.kind = ReportKind::started, .stamp = now_, .transition = fading_});
    for (const KnobMove& move : fading_->moves) {
        const int target = score_->target_of_key[move.slot->key];
        move_target(score_->targets[target], move.param, move.value, -1.f);
    }
    if (!fading_->during) finish_transition();
}

void AudioRoom::take_plan(Plan* plan) noexcept {
    plan_ = plan;
    timed_next_ = 0;
    if (crew_) crew_->leave_out_the_lost(*plan);
}

void AudioRoom::finish_transition() noexcept {
    take_plan(fading_->after.get());
    for (TargetSlot& target : score_->targets) target.leaving = nullptr;
    handback_ = {.kind = ReportKind::finished, .stamp = now_, .transition = fading_};
    fading_ = nullptr;
    hand_back();
}

/// While the queue is full the old plan stays with the audio thread, and the next change waits.
void AudioRoom::hand_back() noexcept {
    if (!handback_.transition) return;
    if (reports_.push(handback_))
        handback_.transition = nullptr;
    else
        stats_.swaps_postponed.fetch_add(1, std::memory_order_relaxed);
}

void AudioRoom::fail_transition(WarmFailure failure) noexcept {
    handback_ = {.kind = ReportKind::failed, .failure = failure, .stamp = now_, .transition = pending_};
    pending_ = nullptr;
    hand_back();
}

/// A newcomer's knobs stand, and move, exactly as those of the one it replaces.
void AudioRoom::inherit_knobs(TargetSlot& target) noexcept {
    if (!target.leaving) return;
    for (std::size_t p = 0; p < target.leaving_param.size(); ++p)
        if (target.leaving_param[p] >= 0)
            target.slot->ramps[p] =
                within_range(target.slot->specs[p], target.leaving->knobs()[target.leaving_param[p]]);
    target.slot->update_plain();
}

/// After the block, so that the last sample of the past is there: a newcomer gains a quarter of a block on
/// each block, and the fade, which runs old and new side by side, begins with the next one.
void AudioRoom::catch_up(int frames) noexcept {
    if (!pending_ || !pending_->warming || fading_ || handback_.transition) return;
    const auto block = static_cast<std::uint64_t>(frames);
    const WarmFailure failure = warm_until(now_, block + std::max<std::uint64_t>(block / 4, 16));
    if (failure != WarmFailure::none) return fail_transition(failure);
    warm_ = pending_->warming->time == now_;
}

/// Runs the newcomers over the recorded past up to `end`, at most `budget` samples of it.
WarmFailure AudioRoom::warm_until(std::uint64_t end, std::uint64_t budget) noexcept {
    Warming& warming = *pending_->warming;
    end = std::min(end, budget > end ? end : warming.time + budget);
    while (warming.time < end) {
        if (knob_sequence_ - warming.knob_sequence > knob_ring_size) return WarmFailure::knobs_lost;
        std::uint64_t stop = std::min(end, warming.time + static_cast<std::uint64_t>(config_.max_frames));
        for (; warming.knob_sequence < knob_sequence_; ++warming.knob_sequence) {
            const KnobEntry& entry = knobs_[warming.knob_sequence % knob_ring_size];
            if (entry.ramp.start > warming.time) {
                stop = std::min(stop, entry.ramp.start);
                break;
            }
            move_warm_knob(warming, entry.key, entry.param, entry.ramp);
        }
        const WarmFailure failure = run_warming(warming, stop, score_->ceiling);
        if (failure != WarmFailure::none) return failure;
    }
    return WarmFailure::none;
}

}  // namespace gainstage
