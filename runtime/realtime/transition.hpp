#pragma once
/// A change of what plays: everything the audio thread needs, from the first warm sample to the last sample
/// of the fade. The control thread builds and frees it.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/realtime/messages.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

/// The knobs of a newcomer: which knob of the slot that it replaces moves which of its own.
struct WarmSlot {
    NodeKey source = 0;  ///< whose knobs it follows
    Slot* slot = nullptr;
    std::vector<int> param_of_source;  ///< per param of the source key's slot: own index or -1
};

/// Runs newcomers, and the nodes that they need upstream, over the recent past until they have caught up.
struct Warming {
    Plan plan;
    RecalledDevice device;
    std::vector<WarmSlot> slots;
    std::vector<Slot*> newcomers;     ///< those that will be heard
    std::uint64_t from = 0;           ///< stream sample at which it began (the log of a take holds it)
    std::uint64_t time = 0;           ///< next sample to run
    std::uint64_t knob_sequence = 0;  ///< first knob report not yet applied
    /// Of every patch that may have moved knobs by its scenes since `from`.
    std::vector<std::shared_ptr<const SceneTable>> scenes;
};

/// Why newcomers could not be warmed.
enum class WarmFailure : std::uint8_t { none, history_lost, knobs_lost, newcomer_tripped };

/// Moves the knob of every warming slot that follows `key`; `every_node` resets them all, and a cue moves all
/// that it moved in what plays. Audio thread or the thread that warms.
void move_warm_knob(Warming&, NodeKey key, std::int32_t param, const Ramp&) noexcept GAINSTAGE_REALTIME;
/// Runs the warming plan up to stream sample `stop`, at most one piece away.
WarmFailure run_warming(Warming&, std::uint64_t stop) noexcept GAINSTAGE_REALTIME;

/// A knob that the edit itself moves.
struct KnobMove {
    Slot* slot = nullptr;
    std::int32_t param = 0;
    float value = 0.f;
};

struct StateCopy {
    const Slot* from = nullptr;
    Slot* to = nullptr;
};

/// A knob of a scene, before the edit or behind it: where it stands depends on the scene that plays when the
/// edit begins.
struct SceneMove {
    Slot* slot = nullptr;
    std::int32_t param = 0;
    int old_knob = -1, new_knob = -1;        ///< indices into the two tables; -1: no scene there names it
    float old_value = 0.f, new_value = 0.f;  ///< in [nodes]
};

struct Transition {
    std::uint64_t stamp = Event::at_once;  ///< begin there, or as soon as warm
    bool offline = false;                  ///< begin there even if much is left to warm
    std::unique_ptr<Warming> warming;      ///< null: nothing needs the past
    std::unique_ptr<Plan> during;          ///< old and new side by side; null: nothing to fade
    std::unique_ptr<Plan> after;
    std::unique_ptr<Score> score;
    FadeCurve curve;
    std::vector<StateCopy> copies;       ///< newcomers that continue another's state, bit for bit
    std::vector<KnobMove> moves;         ///< has room for those that the scenes add
    std::vector<SceneMove> scene_moves;  ///< candidates
    std::vector<int> fresh_knobs;        ///< of the new table: of slots that continue nobody's
    SceneState scene;                    ///< in the score, as the change began

    /// How far the audio thread has come with the change. Written by the audio thread, as the last thing that
    /// it does with the change at that stage; the control thread acts on it.
    enum class Stage : std::uint8_t {
        waiting,  ///< for its sample, or until it has caught up
        begun,    ///< its fade began at `begun_at`
        over,    ///< from `over_at` on `after` plays; the audio thread reaches neither `during` nor what left
        failed,  ///< it could not begin; at `over_at` the audio thread let go of everything
    };
    std::atomic<Stage> stage{Stage::waiting};
    std::uint64_t begun_at = 0, over_at = 0;
    WarmFailure failure = WarmFailure::none;
};

}  // namespace gainstage
