// Scenes against the nodes that they name, and what chooses them.

#include "tests/runtime/resolve/resolve_rig.hpp"

namespace gainstage::test::resolve_scenes_test {
namespace {

/// A gain "g", a comp "c", an s4d "m" and a fixed delay "d" in series; `more` begins in line 21.
std::string patch(const std::string& more, const std::string& head = "") {
    return "links = [\"in -> g -> c -> m -> d -> out\"]\n" + head + node("g", "gain", "gain_db = -3.0\n") +
           node("c", "comp", "mute = true\n") + node("m", "s4d", "model = \"m\"\n") +
           node("d", "delay", "delay_samples = 9\n") + mono_in + stereo_out + more;
}

ModelReader reader() {
    return [](const std::string&) {
        return model("s4d", {{.name = "drive", .unit = "", .min = 0.f, .max = 10.f}});
    };
}

Graph scenes(const std::string& more, const std::string& head = "") {
    return graph(patch(more, head), reader());
}
std::string complaint(const std::string& more, const std::string& head = "") {
    return complaints(patch(more, head), reader());
}

TEST_CASE("scenes: knobs of nodes and models, bypass and mute take their values") {
    const Graph found = scenes(
        "[scenes.verse]\nc = { ratio = 8, bypass = true, mute = 0, invert = false }\ng = { gain_db = 1.5 }\n"
        "[scenes.solo]\nmorph_ms = 40\nm = { drive = 7.0 }\n");
    REQUIRE(found.scenes.size() == 2);
    const std::vector<SceneValue>& values = found.scenes[0].values;
    REQUIRE(values.size() == 5);
    CHECK(values[0].node == 0);  // by node and knob, whatever the order of the file
    CHECK(values[0].value == 1.5f);
    CHECK(values[1].param == 0);
    CHECK(values[1].value == 8.f);
    CHECK(values[2].param == 3);  // invert
    CHECK(values[2].value == 0.f);
    CHECK(values[3].param == 4);  // behind its four knobs: bypass
    CHECK(values[3].value == 1.f);
    CHECK(values[4].param == 5);
    CHECK(values[4].value == 0.f);
    CHECK(found.scenes[0].morph_ms < 0.f);
    CHECK(found.scenes[1].morph_ms == 40.f);
    CHECK(found.scenes[1].values.at(0).value == 7.f);
    CHECK(found.start_scene == -1);
    CHECK(found.scene_index("solo") == 1);
    CHECK(found.scene_index("Solo") == -1);
}

TEST_CASE("scenes: everything that does not exist is reported with the nearest name") {
    CHECK(complaint("[scenes.verse]\ninn = { gain_db = 1 }\n") ==
          "p.toml:22:1: scenes.verse.inn: there is no node \"inn\"; did you mean \"in\"? (nodes: g, c, m, d, "
          "in, out)\n");
    CHECK(complaint("[scenes.verse]\ng = { gain = 1 }\n") ==
          "p.toml:22:7: scenes.verse.g.gain: \"g\" (type \"gain\") has no knob \"gain\"; did you mean "
          "\"gain_db\"? "
          "(knobs: gain_db, bypass, mute)\n");
    CHECK(complaint("[scenes.verse]\nm = { drrive = 1 }\n").find("did you mean \"drive\"?") !=
          std::string::npos);
    CHECK(complaint("[scenes.verse]\nin = { bypass = true }\n").find("has no knob \"bypass\"") !=
          std::string::npos);
    CHECK(complaint("[scenes.verse]\n", "start = \"vers\"\n") ==
          "p.toml:3:1: start: there is no scene \"vers\"; did you mean \"verse\"? (scenes: verse)\n");
    CHECK(complaint("", "start = \"verse\"\n").find("start: there is no scene \"verse\"") !=
          std::string::npos);
}

TEST_CASE("scenes: values keep to their knobs") {
    const auto of = [](const std::string& setting) { return complaint("[scenes.a]\n" + setting + "\n"); };
    CHECK(of("g = { gain_db = 61 }") == "p.toml:22:7: scenes.a.g.gain_db: 61; expected -120 to 60 dB\n");
    CHECK(of("g = { gain_db = nan }").find("expected -120 to 60 dB") != std::string::npos);
    CHECK(of("g = { gain_db = \"loud\" }").find("\"loud\"; expected") != std::string::npos);
    CHECK(of("c = { range = 0.4 }").find("expected 0, 0.5 or 1") != std::string::npos);
    CHECK(of("c = { bypass = 2 }") == "p.toml:22:7: scenes.a.c.bypass: 2; expected true or false\n");
    CHECK(of("c = { mute = \"yes\" }").find("expected true or false") != std::string::npos);
    CHECK(of("d = { delay_ms = 4 }").find("does nothing beside \"delay_samples\"") != std::string::npos);
}

TEST_CASE("scenes: what is built into a node is said to need another patch of a set") {
    for (const char* setting :
         {"c = { link = false }", "c = { detector = \"rms\" }", "c = { smooth_ms = 3 }",
          "m = { model = \"other\" }", "m = { rate = \"refuse\" }", "g = { type = \"comp\" }",
          "in = { channels = [2] }", "d = { delay_samples = 8 }"}) {
        INFO(setting);
        CHECK(complaint(std::string("[scenes.a]\n") + setting + "\n")
                  .find("write this sound as another patch, and both into a set\n") != std::string::npos);
    }
}

TEST_CASE("scenes: a patch begins with one, and its nodes are built with that scene's knobs") {
    const Graph found = scenes("[scenes.verse]\n[scenes.solo]\ng = { gain_db = 4 }\nc = { mute = false }\n",
                               "start = \"solo\"\n");
    CHECK(found.start_scene == 1);
    CHECK(found.nodes[0].values == std::vector{-3.f});
    CHECK(found.nodes[0].start == std::vector{4.f, 0.f, 0.f});
    CHECK(found.nodes[1].start == std::vector{4.f, 1.f, 0.f, 1.f, 0.f, 0.f});
    CHECK(found.nodes[2].start.empty());
    Graph other = found;
    begin_with(other, 0);
    CHECK(other.start_scene == 0);
    CHECK(other.nodes[0].start.empty());
    CHECK(found.nodes[0].start.size() == 3);  // the first graph is as it was
}

TEST_CASE("scenes: what chooses them, by MIDI") {
    const std::string two = "[scenes.verse]\n[scenes.\"the solo\"]\n";
    const auto target = [&](const std::string& mapping) {
        return scenes(two + "[[midi]]\n" + mapping + "\n").midi.at(0).target;
    };
    CHECK(target("program = true\ntarget = \"scene\"").kind == TargetKind::scene);
    CHECK(target("note = 1\ntarget = \"scene.next\"").kind == TargetKind::scene_next);
    CHECK(target("note = 1\nmode = \"trigger\"\ntarget = \"scene.previous\"").kind ==
          TargetKind::scene_previous);
    const GraphTarget named = target("cc = 1\ntarget = \"scene.the solo\"");
    CHECK(named.kind == TargetKind::scene_named);
    CHECK(named.param == 1);
    const Graph pedals = scenes(two +
                                "[[midi]]\ncc = 11\ntarget = \"morph\"\nfrom = \"verse\"\nto = \"the solo\"\n"
                                "[[midi]]\npitchbend = true\ncurve = \"s\"\ntakeover = \"jump\"\n"
                                "target = \"morph\"\nfrom = \"the solo\"\nto = \"verse\"\n");
    CHECK(pedals.midi[1].target.kind == TargetKind::morph);
    CHECK(pedals.midi[1].target.param == 1);
    CHECK(pedals.midi[1].smooth_ms < 0.f);
    REQUIRE(pedals.morphs.size() == 2);
    CHECK(pedals.morphs[1].from == 1);
    CHECK(pedals.morphs[1].to == 0);
}

TEST_CASE("scenes: mappings that could not choose one are refused") {
    const auto of = [](const std::string& mapping,
                       const std::string& tables = "[scenes.verse]\n[scenes.solo]\n") {
        return complaint(tables + "[[midi]]\n" + mapping + "\n");
    };
    CHECK(of("note = 1\ntarget = \"scene.sole\"")
              .find("did you mean \"solo\"? (scenes: verse, solo, next, previous)") != std::string::npos);
    CHECK(of("program = true\ntarget = \"scene\"", "").find("the patch has no scenes; add a table") !=
          std::string::npos);
    CHECK(of("note = 1\ntarget = \"scene.next\"", "").find("the patch has no scenes") != std::string::npos);
    CHECK(of("program = true\ntarget = \"g.gain_db\"").find("a program change numbers scenes") !=
          std::string::npos);
    CHECK(of("cc = 1\ntarget = \"scene\"").find("expected program = true, or one of") != std::string::npos);
    CHECK(of("program = true\ntarget = \"scene\"\nmode = \"toggle\"").find("is no button") !=
          std::string::npos);
    CHECK(of("note = 1\ntarget = \"scene.next\"\nmode = \"toggle\"").find("scene.next is fired by a press") !=
          std::string::npos);
    CHECK(of("note = 1\ntarget = \"scene.solo\"\nmin = 0\nmax = 1").find("has no range") !=
          std::string::npos);
    CHECK(of("cc = 1\ntarget = \"scene.solo\"\nsmooth_ms = 1").find("is never smoothed") !=
          std::string::npos);
    const std::string pedal = "target = \"morph\"\nfrom = \"verse\"\nto = \"solo\"\n";
    CHECK(of("cc = 1\n" + pedal + "mode = \"toggle\"").find("a morph follows a pedal") != std::string::npos);
    CHECK(of("note = 1\n" + pedal).find("a morph follows a pedal") != std::string::npos);
    CHECK(of("cc = 1\n" + pedal + "min = 0\nmax = 1").find("a morph goes all the way") != std::string::npos);
    CHECK(of("cc = 1\n" + pedal + "takeover = \"scale\"").find("expected \"pickup\" or \"jump\"") !=
          std::string::npos);
    CHECK(of("cc = 1\ntarget = \"morph\"\nfrom = \"verse\"\nto = \"sola\"")
              .find("midi.to: there is no scene \"sola\"; did you mean \"solo\"?") != std::string::npos);
    CHECK(of("cc = 1\ntarget = \"scen\"").find("\"scene.NAME\"") != std::string::npos);
}

TEST_CASE("scenes: one is found by its name, then by its number, then by its place") {
    const Graph found = scenes("[scenes.verse]\n[scenes.3]\n[scenes.\"solo\"]\n");
    const auto index = [&](const char* name) { return find_scene(found, name).target.value().param; };
    CHECK(index("verse") == 0);
    CHECK(index("1") == 0);
    CHECK(index("3") == 1);  // its name
    CHECK(index("2") == 1);
    CHECK(find_scene(found, "next").target->kind == TargetKind::scene_next);
    CHECK(find_scene(found, "previous").target->kind == TargetKind::scene_previous);
    CHECK(find_scene(found, "4").problem == "there is no scene 4; expected 1 to 3");
    CHECK(find_scene(found, "0").problem == "there is no scene 0; expected 1 to 3");
    CHECK(find_scene(found, "1.5").problem.find("there is no scene \"1.5\"") == 0);
    CHECK(find_scene(found, "Solo").problem.find("did you mean \"solo\"?") != std::string::npos);
    CHECK(find_scene(found, "").problem.find("there is no scene \"\"") == 0);
    CHECK(find_scene(scenes(""), "next").problem == "the patch has no scenes");
}

TEST_CASE("scenes: a thousand of them with two hundred knobs resolve") {
    std::string text = "links = [\"in -> g0 -> out\"]\n" + mono_in + stereo_out;
    std::string scene;
    for (int g = 0; g < 200; ++g) {
        text += node("g" + std::to_string(g), "gain");
        if (g > 0) text += "mute = false\n";
        scene += "g" + std::to_string(g) + " = { gain_db = -1 }\n";
    }
    std::string tables;
    for (int s = 0; s < 1'000; ++s) tables += "[scenes.s" + std::to_string(s) + "]\n" + (s % 10 ? "" : scene);
    const Resolved found = resolved(text + tables);  // its unconnected nodes are errors: not of this test
    for (const Problem& problem : found.problems) CHECK(problem.key.find("scenes") == std::string::npos);
}

}  // namespace
}  // namespace gainstage::test::resolve_scenes_test
