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
        if (midi_.target.kind == TargetKind::panic)
            check_panic();
        else
            check_range();
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

    /// Panic understands a press and nothing else.
    void check_panic() {
        PatchMidi& entry = midi_.entry;
        if (entry.mode == MidiMode::absolute)
            entry.mode = MidiMode::trigger;
        else if (entry.mode != MidiMode::trigger)
            complain(entry.target_place, "mode", "panic is fired by a press; expected mode = \"trigger\"");
        if (entry.has_range) complain(entry.range_place, "min", "panic has no range; leave min and max out");
        if (entry.smooth_ms >= 0.)
            complain(entry.target_place, "smooth_ms", "panic is never smoothed; leave it out");
        if (entry.curve != MidiCurve::linear)
            complain(entry.target_place, "curve", "panic has no curve; leave it out");
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
        midi_.steps = midi_.target.kind == TargetKind::panic ? 0 : 2;
        midi_.smooth_ms = midi_.target.kind == TargetKind::panic ? 0.f : switch_smooth_ms;
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

}  // namespace

void resolve_midi(Draft& draft) {
    for (const PatchMidi& entry : draft.patch.midi) {
        const int node = find_node(draft, entry.target);
        // The knobs of a node that was not understood are unknown; what is wrong with it is reported.
        if (node >= 0 && !draft.knobs_known[node]) continue;
        const FoundTarget found = find_target_at(draft.graph, node, entry.target, draft.problems);
        if (found.target)
            Mapping(draft, entry, *found.target).resolve();
        else
            draft.problems.error(entry.target_place, "midi.target", found.problem);
    }
}

}  // namespace gainstage
