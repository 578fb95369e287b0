#include <algorithm>

#include "runtime/resolve/draft.hpp"
#include "runtime/resolve/settings.hpp"

namespace gainstage {

namespace {

constexpr float switch_smooth_ms = 20.f;  // bypass and mute

/// One [[midi]] entry against what it moves.
class Mapping {
public:
    Mapping(Draft& draft, const PatchMidi& entry, const GraphTarget& target)
        : draft_(draft), midi_{.entry = entry, .target = target} {}

    void resolve() {
        if (midi_.entry.source == MidiSource::program && midi_.target.kind != TargetKind::scene)
            complain(midi_.entry.target_place, "target",
                     "a program change numbers scenes; expected target = \"scene\"");
        if (is_knob())
            check_range();
        else if (midi_.target.kind == TargetKind::scene)
            check_program();
        else if (midi_.target.kind == TargetKind::morph)
            check_morph();
        else
            check_press();
        take_smoothing();
        draft_.graph.midi.push_back(std::move(midi_));
    }

private:
    const GraphNode& node() const { return draft_.graph.nodes[midi_.target.node]; }
    const ParamSpec& knob() const { return node().params[midi_.target.param]; }
    bool moves_knob() const { return midi_.target.kind == TargetKind::parameter; }

    void complain(Place place, std::string key, std::string message) {
        draft_.problems.error(place, "midi." + key, std::move(message));
    }

    bool is_knob() const {
        return moves_knob() || midi_.target.kind == TargetKind::bypass ||
               midi_.target.kind == TargetKind::mute;
    }

    /// Panic and the scenes understand a press and nothing else.
    void check_press() {
        PatchMidi& entry = midi_.entry;
        if (entry.mode == MidiMode::absolute)
            entry.mode = MidiMode::trigger;
        else if (entry.mode != MidiMode::trigger)
            complain(entry.target_place, "mode",
                     fmt::format("{} is fired by a press; expected mode = \"trigger\"", shown(entry.target)));
        refuse_way();
    }

    void check_program() {
        const PatchMidi& entry = midi_.entry;
        if (entry.source != MidiSource::program)
            complain(entry.target_place, "target",
                     "a program change numbers the scenes: expected program = true, or one of "
                     "\"scene.NAME\", \"scene.next\", \"scene.previous\" as target");
        if (entry.mode != MidiMode::absolute)
            complain(entry.target_place, "mode", "a program change is no button; leave it out");
        refuse_way();
    }

    /// Of a target that has no way from one end to another.
    void refuse_way() {
        const PatchMidi& entry = midi_.entry;
        const std::string target = shown(entry.target);
        if (entry.has_range)
            complain(entry.range_place, "min", fmt::format("{} has no range; leave min and max out", target));
        if (entry.smooth_ms >= 0.)
            complain(entry.target_place, "smooth_ms",
                     fmt::format("{} is never smoothed; leave it out", target));
        if (entry.curve != MidiCurve::linear)
            complain(entry.target_place, "curve", fmt::format("{} has no curve; leave it out", target));
    }

    /// The way of a pedal is that from one scene to the other.
    void check_morph() {
        const PatchMidi& entry = midi_.entry;
        if (entry.mode != MidiMode::absolute || entry.source == MidiSource::note)
            complain(entry.target_place, "target",
                     "a morph follows a pedal, a wheel or a fader, with mode = \"absolute\"");
        if (entry.has_range)
            complain(entry.range_place, "min", "a morph goes all the way; leave min and max out");
        if (entry.takeover == MidiTakeover::scale)
            complain(entry.target_place, "takeover", "expected \"pickup\" or \"jump\"");
        const int from = scene(entry.from, entry.from_place, "from"),
                  to = scene(entry.to, entry.to_place, "to");
        midi_.target.param = static_cast<int>(draft_.graph.morphs.size());
        draft_.graph.morphs.push_back({std::max(from, 0), std::max(to, 0)});
    }

    int scene(const std::string& name, Place place, const char* key) {
        const int index = draft_.scene_by_name.find(name);
        if (index < 0 && !name.empty())  // else the reader has reported it
            complain(place, key,
                     draft_.problems.unknown("there is no scene " + in_quotes(name), name, "scenes",
                                             scene_names(draft_.graph)));
        return index;
    }

    void check_range() {
        PatchMidi& entry = midi_.entry;
        const GraphTarget& target = midi_.target;
        if (!entry.has_range && entry.mode == MidiMode::trigger && moves_knob() && knob().steps == 0)
            complain(entry.target_place, "mode", "a trigger goes to max; say where that is with min and max");
        if (!entry.has_range) {
            entry.min = static_cast<double>(target.min);
            entry.max = static_cast<double>(target.max);
            entry.has_range = true;
        } else if (!fits(entry.min, target.min, target.max) || !fits(entry.max, target.min, target.max)) {
            complain(entry.range_place, "min",
                     fmt::format("{} to {} reaches beyond {}; expected values within {}", entry.min,
                                 entry.max, in_quotes(entry.target), target_range()));
            return;
        }
        if (entry.curve == MidiCurve::log && !(entry.min * entry.max > 0.))
            complain(entry.range_place, "curve",
                     fmt::format("a log curve goes by ratios, and {} to {} has none; write min and max "
                                 "with the same sign and not 0, or curve = \"linear\"",
                                 entry.min, entry.max));
    }

    std::string target_range() const {
        return moves_knob() ? fmt::format("{} to {}{}{}", knob().min, knob().max,
                                          knob().unit.empty() ? "" : " ", knob().unit)
                            : "0 to 1";
    }

    void take_smoothing() {
        const PatchMidi& entry = midi_.entry;
        midi_.steps = is_knob() ? 2 : 0;
        midi_.smooth_ms = is_knob()                                ? switch_smooth_ms
                          : midi_.target.kind == TargetKind::morph ? -1.f  // as each knob says
                                                                   : 0.f;
        if (moves_knob()) {
            midi_.steps = knob().steps;
            midi_.smooth_ms = node().smooth_ms[midi_.target.param];
            if (midi_.steps > 0 && entry.smooth_ms >= 0.)
                complain(
                    entry.target_place, "smooth_ms",
                    fmt::format("{} is a switch and never smoothed; leave it out", in_quotes(entry.target)));
        }
        if (entry.smooth_ms >= 0.) midi_.smooth_ms = static_cast<float>(entry.smooth_ms);
    }

    Draft& draft_;
    GraphMidi midi_;
};

int find_node(const Draft& draft, std::string_view target) {
    return draft.node_by_id.find(node_of_target(target));
}

constexpr std::string_view scene_prefix = "scene.";
constexpr std::string_view expected_of_midi =
    "expected \"node.parameter\", \"node.bypass\", \"node.mute\", \"panic\", \"scene\", \"scene.NAME\", "
    "\"scene.next\", \"scene.previous\" or \"morph\"";

FoundTarget found_target(TargetKind kind, int param = -1) {
    return {.target = GraphTarget{.kind = kind, .node = -1, .param = param}, .problem = {}};
}

FoundTarget target_of(Draft& draft, int node, std::string_view target) {
    if (target == "scene") return found_target(TargetKind::scene);
    if (target == "morph") return found_target(TargetKind::morph);
    if (!target.starts_with(scene_prefix))
        return find_target_at(draft.graph, node, target, draft.problems, expected_of_midi);
    const std::string_view name = target.substr(scene_prefix.size());
    if (name == "next") return found_target(TargetKind::scene_next);
    if (name == "previous") return found_target(TargetKind::scene_previous);
    if (const int scene = draft.scene_by_name.find(name); scene >= 0)
        return found_target(TargetKind::scene_named, scene);
    Names names = scene_names(draft.graph);
    names.insert(names.end(), {"next", "previous"});
    return {.target = std::nullopt,
            .problem = draft.problems.unknown("there is no scene " + in_quotes(name), name, "scenes", names)};
}

/// A patch that chooses scenes has some.
bool lacks_scenes(const Draft& draft, const GraphTarget& target) {
    return draft.graph.scenes.empty() &&
           (target.kind == TargetKind::scene || target.kind == TargetKind::scene_next ||
            target.kind == TargetKind::scene_previous);
}

}  // namespace

void resolve_midi(Draft& draft) {
    for (const PatchMidi& entry : draft.patch.midi) {
        const int node = find_node(draft, entry.target);
        // The knobs of a node that was not understood are unknown; what is wrong with it is reported.
        if (node >= 0 && !draft.knobs_known[node]) continue;
        const FoundTarget found = target_of(draft, node, entry.target);
        if (found.target && lacks_scenes(draft, *found.target))
            draft.problems.error(entry.target_place, "midi.target",
                                 "the patch has no scenes; add a table: [scenes.verse]");
        else if (found.target)
            Mapping(draft, entry, *found.target).resolve();
        else
            draft.problems.error(entry.target_place, "midi.target", found.problem);
    }
}

}  // namespace gainstage
