#include "runtime/realtime/midi_mapping.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/model/hash.hpp"
#include "runtime/param.hpp"

namespace gainstage {

namespace {

/// A control has reached a knob when they are one step of a 7-bit controller apart.
constexpr double pickup_reach = 1. / 127. + 1e-6;

/// The same mapping has the same number in every plan.
std::uint64_t id_of(const PatchMidi& entry) {
    Hash hash;
    hash.add_number(static_cast<std::uint64_t>(entry.channel));
    hash.add_number(static_cast<std::uint64_t>(entry.source));
    hash.add_number(static_cast<std::uint64_t>(entry.number));
    hash.add(entry.target);
    hash.add(entry.from);
    hash.add(entry.to);
    return hash.value();
}

int steps_of(const GraphMidi& midi) noexcept {
    const bool is_switch = midi.target.kind == TargetKind::bypass || midi.target.kind == TargetKind::mute;
    return is_switch ? 2 : std::max(midi.steps, 0);
}

/// From one value of a stepped target to the next, towards `max`; 0 where that is finer than an encoder's
/// tick.
float value_step_of(const GraphMidi& midi, float min, float max) noexcept {
    const int steps = steps_of(midi);
    if (steps < 2) return 0.f;
    const float step = (midi.target.max - midi.target.min) / static_cast<float>(steps - 1);
    if (step * 127.f < std::abs(max - min)) return 0.f;
    return max < min ? -step : step;
}

/// The nearest value that a stepped target takes.
float rounded(const MidiMapping& mapping, float value) noexcept {
    const auto [kind, node, param, min, max] = mapping.target;
    if (mapping.steps < 2 || !(max > min)) return value;
    return nearest_step(value, min, max, mapping.steps);
}

/// What an encoder's byte says, in ticks.
int ticks_of(MidiMode mode, const MidiEvent& event) noexcept {
    if (event.step != 0) return event.step;
    if (event.refines) return 0;
    const int byte = event.coarse;
    switch (mode) {
        case MidiMode::relative_2c:
            return byte < 64 ? byte : byte - 128;
        case MidiMode::relative_offset64:
            return byte - 64;
        case MidiMode::relative_signbit:
            return byte < 64 ? byte : -(byte - 64);
        default:
            return 0;
    }
}

/// One mapping, one event: who moves where. Lives for one event.
class Mover {
public:
    Mover(MidiMapping& mapping, MidiHost& host) noexcept
        : mapping_(mapping), state_(mapping.state), host_(host) {}

    void receive(const MidiEvent& event) noexcept {
        const bool press = is_press(event);
        switch (mapping_.target.kind) {
            case TargetKind::panic:
                if (press) host_.panic();
                break;
            case TargetKind::scene:
                host_.choose_scene(mapping_.target, event.coarse);
                break;
            case TargetKind::scene_named:
            case TargetKind::scene_next:
            case TargetKind::scene_previous:
                if (press) host_.choose_scene(mapping_.target, 0);
                break;
            case TargetKind::morph:
                if (event.step == 0) follow_between_scenes(event.position);
                break;
            default:
                look_at_knob();
                move(event, press);
        }
        remember(event);
    }

private:
    void move(const MidiEvent& event, bool press) noexcept {
        switch (mapping_.mode) {
            case MidiMode::absolute:
                if (event.step != 0)
                    turn(event.step);
                else
                    follow(event);
                break;
            case MidiMode::toggle:
                if (press) go_to(state_.position < 0.5 ? 1. : 0.);
                break;
            case MidiMode::momentary:
                if (!event.refines && event.pressed != state_.pressed) go_to(event.pressed ? 1. : 0.);
                break;
            case MidiMode::trigger:
                if (press) go_to(1.);
                break;
            default:
                if (const int ticks = ticks_of(mapping_.mode, event)) turn(ticks);
        }
    }

    /// Finds out where the knob stands, and whether somebody else has moved it meanwhile.
    void look_at_knob() noexcept {
        now_ = host_.value(mapping_.target);
        // The host may have rounded what it was given; a real move is larger than this.
        const float rounding = 1e-6f * std::max(std::abs(mapping_.target.min), std::abs(mapping_.target.max));
        if (state_.moved && std::abs(now_ - state_.last_value) <= rounding) return;
        state_.moved = state_.holds = false;
        state_.position = mapping_.scale.position_of(now_);
    }

    /// Absolute: the knob goes where the control is, as the takeover allows.
    void follow(const MidiEvent& event) noexcept {
        const double x = event.position;
        if (event.source == MidiSource::note && !event.pressed) return;
        if (mapping_.takeover == MidiTakeover::scale) return share_the_way(x);
        if (mapping_.takeover == MidiTakeover::pickup && !state_.holds) state_.holds = picks_up(x);
        if (mapping_.takeover == MidiTakeover::jump || state_.holds) go_to(x);
    }

    bool picks_up(double x) const noexcept {
        return crosses(x, state_.position) || has_reached(mapping_, x, state_.position, now_);
    }
    bool crosses(double x, double place) const noexcept {
        return state_.heard && (state_.control - place) * (x - place) <= 0.;
    }

    void follow_between_scenes(double x) noexcept {
        const MorphStand stand = host_.morph_stand(mapping_.target);
        const bool holds = stand.is_held && state_.holds;
        const double place =
            stand.is_held ? mapping_.scale.position_of(static_cast<float>(stand.position)) : stand.position;
        state_.holds = holds || mapping_.takeover == MidiTakeover::jump || finds_scene(x, place);
        if (!state_.holds || (holds && x == state_.position)) return;
        state_.position = x;
        host_.morph(mapping_.target, mapping_.scale.value_at(x), mapping_.smooth_ms);
    }
    bool finds_scene(double x, double place) const noexcept {
        const auto is_at = [&](double end) { return std::abs(x - end) <= pickup_reach || crosses(x, end); };
        return place < 0. ? is_at(0.) || is_at(1.) : is_at(place);
    }

    /// Scale: knob and control reach the ends of their ways at the same time.
    void share_the_way(double x) noexcept {
        const double knob = state_.position, control = state_.control;
        if (!state_.heard || x == control) return;
        if (x > control)
            go_to(x >= 1. ? 1. : knob + (1. - knob) * ((x - control) / (1. - control)));
        else
            go_to(x <= 0. ? 0. : knob * (x / control));
    }

    void turn(int ticks) noexcept {
        if (mapping_.value_step != 0.f) {
            const float from = rounded(mapping_, now_);
            go_to(mapping_.scale.position_of(from + static_cast<float>(ticks) * mapping_.value_step));
        } else {
            constexpr double rounding = 1e-9;  // 127 ticks are the whole way
            const double to = state_.position + ticks / 127.;
            go_to(to < rounding ? 0. : to > 1. - rounding ? 1. : to);
        }
    }

    void go_to(double position) noexcept {
        const float value = rounded(mapping_, mapping_.scale.value_at(position));
        state_.moved = true;
        state_.position = position;
        state_.last_value = value;
        if (value != now_) host_.set(mapping_.target, value, mapping_.smooth_ms);
    }

    /// A trigger listens to pads too, which send how hard they are hit.
    bool is_down(const MidiEvent& event) const noexcept {
        const bool is_hit = mapping_.mode == MidiMode::trigger && event.source == MidiSource::cc;
        return event.pressed || (is_hit && event.coarse > 0);
    }

    /// A note or an increment button is a new press each time. For controllers see MidiMapping.
    bool is_press(const MidiEvent& event) const noexcept {
        if (!is_down(event) || event.refines) return false;
        if (!state_.pressed || event.source == MidiSource::note || event.step != 0) return true;
        return event.source == MidiSource::cc && event.coarse == state_.coarse;
    }

    void remember(const MidiEvent& event) noexcept {
        if (!event.refines) state_.pressed = is_down(event);
        if (event.step != 0) return;
        state_.heard = true;
        state_.coarse = event.coarse;
        state_.control = event.position;
    }

    MidiMapping& mapping_;
    MidiMapping::State& state_;
    MidiHost& host_;
    float now_ = 0.f;
};

}  // namespace

MidiMapping mapping_of(const GraphMidi& midi) {
    const PatchMidi& entry = midi.entry;
    const float min = entry.has_range ? static_cast<float>(entry.min) : midi.target.min;
    const float max = entry.has_range ? static_cast<float>(entry.max) : midi.target.max;
    const bool has_way = entry.source != MidiSource::note && steps_of(midi) != 2;
    const bool is_morph = midi.target.kind == TargetKind::morph;
    return {.target = midi.target,
            .id = id_of(entry),
            .channel = entry.channel,
            .order = entry.order,
            .mode = entry.mode,
            .takeover = has_way ? entry.takeover : MidiTakeover::jump,
            .scale = is_morph ? MidiCurveScale(entry.curve, 0.f, 1.f) : MidiCurveScale(entry.curve, min, max),
            .smooth_ms = midi.smooth_ms,
            .steps = steps_of(midi),
            .value_step = value_step_of(midi, min, max),
            .state = {}};
}

bool has_reached(const MidiMapping& mapping, double control, double knob,
                 float value) noexcept GAINSTAGE_REALTIME {
    return std::abs(control - knob) <= pickup_reach ||
           (mapping.steps > 1 && rounded(mapping, mapping.scale.value_at(control)) == value);
}

void receive(MidiMapping& mapping, const MidiEvent& event, MidiHost& host) noexcept GAINSTAGE_REALTIME {
    const bool is_fine_first =
        mapping.order == MidiOrder::lsb_first || (mapping.order == MidiOrder::recognised && event.fine_first);
    if (!is_fine_first) return Mover(mapping, host).receive(event);
    if (event.refines) return;
    MidiEvent whole = event;
    if (event.step == 0) whole.position = event.position_after_fine;
    Mover(mapping, host).receive(whole);
}

}  // namespace gainstage
