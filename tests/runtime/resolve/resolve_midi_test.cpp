// The targets of mappings, and their ranges.

#include "tests/runtime/resolve/resolve_rig.hpp"

namespace gainstage::test::resolve_midi_test {
namespace {

/// A gain "g" and a comp "c" in series, and a mapping whose lines begin at 17.
std::string patch(const std::string& midi) {
    return "links = [\"in -> g -> c -> out\"]\n" + node("g", "gain", "smooth_ms = 7\n") + node("c", "comp") +
           mono_in + stereo_out + "\n\n[[midi]]\n" + midi + "\n";
}

GraphMidi mapping(const std::string& midi) {
    return graph(patch(midi)).midi.at(0);
}

TEST_CASE("midi: a knob's mapping takes its range, its smoothing and its steps") {
    const GraphMidi knob = mapping("cc = 1\ntarget = \"g.gain_db\"");
    CHECK(knob.target.kind == TargetKind::parameter);
    CHECK(knob.target.node == 0);
    CHECK(knob.target.param == 0);
    CHECK(knob.entry.min == -120.);
    CHECK(knob.entry.max == 60.);
    CHECK(knob.smooth_ms == 7.f);
    CHECK(knob.steps == 0);

    const GraphMidi own = mapping("cc = 1\ntarget = \"g.gain_db\"\nmin = 3\nmax = -6\nsmooth_ms = 0");
    CHECK(own.entry.min == 3.);
    CHECK(own.entry.max == -6.);
    CHECK(own.smooth_ms == 0.f);  // replaces, never adds

    CHECK(mapping("cc = 1\ntarget = \"c.range\"").steps == 3);
}

TEST_CASE("midi: bypass, mute and panic are targets of every patch") {
    const GraphMidi bypass = mapping("note = 1\nmode = \"toggle\"\ntarget = \"c.bypass\"");
    CHECK(bypass.target.kind == TargetKind::bypass);
    CHECK(bypass.target.node == 1);
    CHECK(bypass.entry.max == 1.);
    CHECK(bypass.steps == 2);
    CHECK(mapping("cc = 1\ntarget = \"in.mute\"").target.kind == TargetKind::mute);
    CHECK(mapping("cc = 1\ntarget = \"out.mute\"").target.kind == TargetKind::mute);
    const GraphMidi panic = mapping("cc = 120\ntarget = \"panic\"");
    CHECK(panic.target.kind == TargetKind::panic);
    CHECK(panic.entry.mode == MidiMode::trigger);
}

TEST_CASE("midi: an unknown target is reported with the nearest name") {
    const auto complaint = [](const std::string& target) {
        return complaints(patch("cc = 1\ntarget = \"" + target + "\""));
    };
    const std::string at = "p.toml:18:1: midi.target: ";
    CHECK(complaint("g.gain") ==
          at + "\"g\" (type \"gain\") has no parameter \"gain\"; did you mean \"gain_db\"? "
               "(targets: gain_db, bypass, mute)\n");
    CHECK(complaint("h.gain_db").find(at + "there is no node \"h\"") == 0);
    CHECK(complaint("inn.mute") ==
          at + "there is no node \"inn\"; did you mean \"in\"? (nodes: g, c, in, out)\n");
    CHECK(complaint("pancake") ==
          at + "\"pancake\" is no target; expected \"node.parameter\", \"node.bypass\", "
               "\"node.mute\", \"panic\", \"scene\", \"scene.NAME\", \"scene.next\", "
               "\"scene.previous\" or \"morph\"\n");
    CHECK(complaint("panik").find("did you mean \"panic\"?") != std::string::npos);
    CHECK(complaint("").find(at + "\"\" is no target") == 0);
    // These would do nothing.
    CHECK(complaint("in.bypass").find("has no parameter \"bypass\" (targets: mute)") != std::string::npos);
    CHECK(complaint("out.bypass").find("has no parameter \"bypass\" (targets: mute)") != std::string::npos);
}

TEST_CASE("midi: a range must lie within that of its target") {
    CHECK(complaints(patch("cc = 1\ntarget = \"g.gain_db\"\nmin = -121\nmax = 0")) ==
          "p.toml:19:1: midi.min: -121 to 0 reaches beyond \"g.gain_db\"; expected values within -120 to 60 "
          "dB\n");
    CHECK(complaints(patch("cc = 1\nmin = 1\nmax = 1e300\ntarget = \"c.ratio\"")) ==
          "p.toml:18:1: midi.min: 1 to 1e+300 reaches beyond \"c.ratio\"; expected values within 1 to 100 "
          ":1\n");
    CHECK(complaints(patch("cc = 1\nmin = 0\nmax = 2\ntarget = \"c.bypass\"")) ==
          "p.toml:18:1: midi.min: 0 to 2 reaches beyond \"c.bypass\"; expected values within 0 to 1\n");
    CHECK(complaints(patch("cc = 1\nmin = 0.1\nmax = 50\ncurve = \"log\"\ntarget = \"c.attack_ms\"")) == "");
}

TEST_CASE("midi: a log curve needs a range whose ends have a ratio") {
    CHECK(complaints(patch("cc = 1\ncurve = \"log\"\ntarget = \"g.gain_db\"\nmin = -6\nmax = 6")) ==
          "p.toml:20:1: midi.curve: a log curve goes by ratios, and -6 to 6 has none; write min and max with "
          "the same "
          "sign and not 0, or curve = \"linear\"\n");
    CHECK(complaints(patch("cc = 1\ncurve = \"log\"\ntarget = \"g.gain_db\""))
              .find("p.toml:16:1: midi.curve: ") == 0);
    CHECK(complaints(patch("cc = 1\ncurve = \"log\"\ntarget = \"g.gain_db\"\nmin = -60\nmax = -6")) == "");
}

TEST_CASE("midi: settings that would do nothing are refused") {
    CHECK(complaints(patch("cc = 1\ntarget = \"c.invert\"\nsmooth_ms = 3")) ==
          "p.toml:18:1: midi.smooth_ms: \"c.invert\" is a switch and never smoothed; leave it out\n");
    CHECK(complaints(patch("cc = 1\ntarget = \"panic\"\nmode = \"toggle\"")) ==
          "p.toml:18:1: midi.mode: panic is fired by a press; expected mode = \"trigger\"\n");
    CHECK(complaints(patch("cc = 1\ntarget = \"panic\"\nmin = 0\nmax = 1\nsmooth_ms = 3\ncurve = \"s\"")) ==
          "p.toml:18:1: midi.smooth_ms: panic is never smoothed; leave it out\n"
          "p.toml:18:1: midi.curve: panic has no curve; leave it out\n"
          "p.toml:19:1: midi.min: panic has no range; leave min and max out\n");
    CHECK(complaints(patch("cc = 1\nmode = \"trigger\"\ntarget = \"g.gain_db\"")) ==
          "p.toml:19:1: midi.mode: a trigger goes to max; say where that is with min and max\n");
    CHECK(complaints(patch("cc = 1\nmode = \"trigger\"\nmin = -6\nmax = 0\ntarget = \"g.gain_db\"")) == "");
    CHECK(complaints("links = [\"in -> d -> out\"]\n" + node("d", "delay", "delay_samples = 3\n") + mono_in +
                     stereo_out + "[[midi]]\ncc = 1\ntarget = \"d.delay_ms\"\n") ==
          "p.toml:14:1: midi.target: \"delay_ms\" of \"d\" does nothing beside \"delay_samples\"; take that "
          "out\n");
}

TEST_CASE("midi: several mappings may share a controller or a target") {
    const Graph g =
        graph(patch("cc = 1\ntarget = \"g.gain_db\"\n[[midi]]\ncc = 1\ntarget = \"c.ratio\"\n[[midi]]\ncc "
                    "= 2\ntarget = \"c.ratio\""));
    CHECK(g.midi.size() == 3);
}

TEST_CASE("find_target: automation finds the same targets as mappings") {
    const Graph g = graph(patch("cc = 1\ntarget = \"g.gain_db\""));
    const FoundTarget ratio = find_target(g, "c.ratio");
    REQUIRE(ratio.target);
    CHECK(ratio.target->node == 1);
    CHECK(ratio.target->param == 0);
    CHECK(ratio.target->min == 1.f);
    CHECK(ratio.target->max == 100.f);
    CHECK(find_target(g, "c.mute").target->kind == TargetKind::mute);
    CHECK_FALSE(find_target(g, "c.ratoi").target);
    CHECK(find_target(g, "c.ratoi").problem.find("did you mean \"ratio\"?") != std::string::npos);
    CHECK_FALSE(find_target(g, "c.").target);
    CHECK_FALSE(find_target(g, ".").target);
}

}  // namespace
}  // namespace gainstage::test::resolve_midi_test
