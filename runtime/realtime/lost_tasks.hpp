#pragma once
/// What happens to a plan when a worker does not come back from one of its tasks. All on the audio thread,
/// which from then on touches nothing that the worker may touch.

#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// Marks the slots of these tasks as lost and lets the others read stand-ins of what they wrote.
void lose_tasks(Plan&, TaskSet lost, std::uint64_t time) noexcept GAINSTAGE_REALTIME;
/// From now on the others write into stand-ins where the lost tasks may still read. Before the next piece.
void part_from_lost(Plan&) noexcept GAINSTAGE_REALTIME;
/// Fills the stand-ins for what the lost tasks would write: from the last sample to silence.
void fill_stand_ins(Tasks&, const Piece&, std::uint64_t ramp_samples) noexcept GAINSTAGE_REALTIME;
/// Nobody else writes the histories of these tasks while they are held.
void hold_histories(Tasks&, TaskSet, bool held) noexcept GAINSTAGE_REALTIME;
/// Steps of slots that are lost write silence in this plan.
void switch_off_lost(Plan&) noexcept GAINSTAGE_REALTIME;
/// The latest sample of what passes between tasks.
void keep_last(Tasks&, int frames) noexcept GAINSTAGE_REALTIME;

}  // namespace gainstage
