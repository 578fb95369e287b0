#include "runtime/realtime/desk.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/realtime/samples.hpp"

namespace gainstage {

namespace {

void move_in(Slot& slot, int param, const SceneTable::Knob& knob, float value, const SceneCue& cue) noexcept {
    if (move_by_cue(slot.knobs()[param], slot.specs[param], value, knob, cue) && param >= slot.param_count)
        slot.update_plain();
}

/// The scene behind or before the one that was chosen last. Without one: the first or the last.
int neighbour(const Score& score, SceneAsk ask) noexcept {
    const int count = score.scenes->scene_count(), now = score.scene.scene;
    if (ask == SceneAsk::next) return now + 1 < count ? now + 1 : 0;
    return now > 0 ? now - 1 : count - 1;
}

}  // namespace

Desk::Desk(double sample_rate_hz, int decoders, KnobTrail& trail, Outbox& outbox)
    : sample_rate_hz_(sample_rate_hz),
      trail_(trail),
      outbox_(outbox),
      decoders_(static_cast<std::size_t>(decoders)) {}

class Desk::Hands final : public MidiHost {
public:
    Hands(Desk& desk, Score& score, std::uint64_t now) : desk_(desk), score_(score), now_(now) {}

    float value(const GraphTarget& target) const noexcept override {
        Slot& slot = *score_.targets[target.node].slot;
        return slot.knobs()[slot.param_of(target)].to;
    }
    void set(const GraphTarget& target, float value, float smooth_ms) noexcept override {
        TargetSlot& slots = score_.targets[target.node];
        desk_.move(slots, slots.slot->param_of(target), value, smooth_ms, now_);
    }
    void panic() noexcept override { asked_for_panic_ = true; }
    void choose_scene(const GraphTarget& target, int program) noexcept override {
        const int scene = target.kind == TargetKind::scene         ? program
                          : target.kind == TargetKind::scene_named ? target.param
                          : target.kind == TargetKind::scene_next  ? neighbour(score_, SceneAsk::next)
                                                                   : neighbour(score_, SceneAsk::previous);
        desk_.choose(score_, scene, -1.f, true, now_);
    }
    MorphStand morph_stand(const GraphTarget& target) const noexcept override {
        const SceneState& state = score_.scene;
        if (state.morph == target.param) return {.is_held = true, .position = state.position};
        const GraphMorph& ends = score_.scenes->morph(target.param);
        if (state.morph >= 0 || (state.scene != ends.from && state.scene != ends.to)) return {};
        return {.is_held = false, .position = state.scene == ends.from ? 0. : 1.};
    }
    void morph(const GraphTarget& target, float position, float smooth_ms) noexcept override {
        desk_.morph(score_, target.param, position, smooth_ms, now_);
    }
    bool asked_for_panic() const noexcept { return asked_for_panic_; }

private:
    Desk& desk_;
    Score& score_;
    const std::uint64_t now_;
    bool asked_for_panic_ = false;
};

bool Desk::receive(Score& score, const Event& event, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (event.port >= decoders_.size()) return false;
    Hands hands(*this, score, now);
    score.midi->receive(decoders_[event.port].decode(event.midi), hands);
    return hands.asked_for_panic();
}

void Desk::turn(Score& score, const Event& event, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (event.key >= score.target_of_key.size()) return;
    const int index = score.target_of_key[event.key];
    if (index < 0) return;
    TargetSlot& target = score.targets[index];
    const auto& numbers = target.slot->knob_numbers;
    const auto knob = std::find(numbers.begin(), numbers.end(), event.knob);
    if (knob == numbers.end()) return;
    Event applied = event;
    applied.param = static_cast<std::int32_t>(knob - numbers.begin());
    outbox_.log({applied, now});
    move(target, applied.param, event.value, event.smooth_ms, now);
}

void Desk::choose(Score& score, const Event& event, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const int scene = event.ask == SceneAsk::named ? score.scenes->scene_of(event.scene_name())
                                                   : neighbour(score, event.ask);
    choose(score, scene, event.smooth_ms, false, now);
}

void Desk::choose(Score& score, int scene, float morph_ms, bool by_midi,
                  std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (scene < 0 || scene >= score.scenes->scene_count()) return;
    if (!by_midi)  // else the message has an entry
        outbox_.log({Event{.kind = EventKind::scene, .param = scene, .smooth_ms = morph_ms}, now});
    SceneCue cue = score.scenes->cue(
        scene, now, morph_ms < 0.f ? SceneCue::own_length : samples_of(morph_ms, sample_rate_hz_));
    cue.by_midi = by_midi;
    follow(score, cue);
}

/// Switches have a margin, so that a pedal that rests half way up does not make them chatter.
void Desk::morph(Score& score, int morph, float position, float smooth_ms,
                 std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    constexpr float up = 0.5f, down = 0.45f;
    const bool was_upper = score.scene.morph == morph && score.scene.is_upper;
    follow(score,
           {.at = now,
            .table = score.scenes->number(),
            .state = {.scene = score.scene.scene,
                      .morph = morph,
                      .position = position,
                      .is_upper = position >= (was_upper ? down : up)},
            .length = smooth_ms < 0.f ? SceneCue::own_length : samples_of(smooth_ms, sample_rate_hz_)});
}

/// During a fade the leaving instances move too.
void Desk::follow(Score& score, const SceneCue& cue) noexcept GAINSTAGE_REALTIME {
    const SceneTable& table = *score.scenes;
    const int count = table.knob_count();
    for (int k = 0; k < count; ++k) {
        const SceneTable::Knob& knob = table.knobs()[k];
        TargetSlot& target = score.targets[knob.node];
        const float value = table.value(k, cue.state);
        move_in(*target.slot, knob.param, knob, value, cue);
        if (target.leaving && target.leaving_param[knob.param] >= 0)
            move_in(*target.leaving, target.leaving_param[knob.param], knob, value, cue);
    }
    score.scene = after(score.scene, cue);
    trail_.add_cue(cue);
}

void Desk::follow(Score& score, const std::vector<KnobMove>& moves,
                  std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    for (const KnobMove& edited : moves) {
        const int target = score.target_of_key[edited.slot->key];
        move(score.targets[target], edited.param, edited.value, -1.f, now);
    }
}

void Desk::forget(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    trail_.add({.key = every_node, .param = -1, .ramp = {.start = now}});
}

/// During a fade the leaving instance moves too.
void Desk::move(TargetSlot& target, std::int32_t param, float value, float smooth_ms,
                std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    Slot& slot = *target.slot;
    if (param < 0 || param >= static_cast<std::int32_t>(slot.ramps.size())) return;
    const Ramp ramp = start_ramp(slot, param, value, smooth_ms, now);
    if (target.leaving) {
        const int theirs = target.leaving_param[param];
        if (theirs >= 0) start_ramp(*target.leaving, theirs, value, smooth_ms, now);
    }
    trail_.add({.key = slot.key, .param = param, .ramp = ramp});
}

Ramp Desk::start_ramp(Slot& slot, std::int32_t param, float value, float smooth_ms,
                      std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const ParamSpec& spec = slot.specs[param];
    Ramp& ramp = slot.knobs()[param];
    const float asked = std::isnan(value) ? spec.start : value;
    if (asked != value || asked < spec.min || asked > spec.max)
        outbox_.tell({.stamp = now, .key = slot.key, .param = param, .value = value});
    const float to = nearest_value(spec, asked);
    const float ms = smooth_ms >= 0.f ? smooth_ms : slot.smooth_ms(param);
    const std::uint32_t length = spec.steps > 1 ? 0 : samples_of(ms, sample_rate_hz_);
    ramp = {.start = now, .length = length, .from = ramp.at(now), .to = to};
    if (param >= slot.param_count) slot.update_plain();
    return ramp;
}

}  // namespace gainstage
