/// Messages that choose scenes, and the pedal that goes between two of them.

#include "tests/support/catch.hpp"
#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_scene_test {

namespace {

GraphMidi scene_mapping(TargetKind kind, MidiSource source, int number = 0, int scene = -1) {
    GraphMidi midi = with_source(with_mode(MidiMode::trigger), source, number);
    midi.entry.target = "scene";
    midi.target = {.kind = kind, .node = -1, .param = scene};
    return midi;
}

GraphMidi pedal(MidiTakeover takeover = MidiTakeover::pickup, MidiCurve curve = MidiCurve::linear) {
    GraphMidi midi = with_takeover(takeover);
    midi.entry.target = "morph";
    midi.entry.curve = curve;
    midi.target = {.kind = TargetKind::morph, .node = -1, .param = 0};
    midi.smooth_ms = -1.f;
    return midi;
}

}  // namespace

TEST_CASE("a program change numbers a scene, each time, on its channel") {
    GraphMidi midi = scene_mapping(TargetKind::scene, MidiSource::program);
    midi.entry.mode = MidiMode::absolute;
    midi.entry.channel = 2;
    Stage stage({midi});
    const auto program = [&](int status, int number) {
        const MidiMessage message{2,
                                  {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(number), 0}};
        const RealtimeScope scope;
        stage.map.receive(stage.decoder.decode(message), stage.desk);
    };
    program(0xC1, 5);
    CHECK(stage.desk.choices == 1);
    CHECK(stage.desk.chosen.program == 5);
    program(0xC1, 5);
    program(0xC1, 127);
    CHECK(stage.desk.choices == 3);
    CHECK(stage.desk.chosen.program == 127);
    program(0xC0, 1);  // another channel
    program(0xD1, 1);  // channel pressure
    CHECK(stage.desk.choices == 3);
    CHECK(stage.desk.sets == 0);
}

TEST_CASE("a press chooses a scene or its neighbour, a release does nothing") {
    Stage stage({scene_mapping(TargetKind::scene_named, MidiSource::note, 36, 4),
                 scene_mapping(TargetKind::scene_next, MidiSource::cc, 64)});
    stage.send(0x90, 36, 100);
    CHECK(stage.desk.chosen.kind == TargetKind::scene_named);
    CHECK(stage.desk.chosen.scene == 4);
    stage.send(0x80, 36, 0);
    CHECK(stage.desk.choices == 1);
    stage.send(0x90, 36, 1);
    CHECK(stage.desk.choices == 2);
    stage.cc(127, 64);
    CHECK(stage.desk.chosen.kind == TargetKind::scene_next);
    stage.cc(0, 64);
    stage.cc(127, 64);
    CHECK(stage.desk.choices == 4);
}

TEST_CASE("a pedal waits until it is where the scene is") {
    Stage stage({pedal()});
    stage.desk.stand = {.is_held = false, .position = 1.};  // the second scene plays
    stage.cc(20);
    stage.cc(90);
    CHECK(stage.desk.morphs == 0);
    stage.cc(127);
    CHECK(stage.desk.morphs == 1);
    CHECK(stage.desk.stand.position == 1.);
    CHECK(stage.desk.smooth_ms < 0.f);
    stage.cc(64);
    CHECK(stage.desk.stand.position == Approx(64. / 127.));
    stage.cc(64);  // nothing new
    CHECK(stage.desk.morphs == 2);
}

TEST_CASE("a scene frees the pedal until it is picked up again") {
    Stage stage({pedal()});
    stage.desk.stand = {.is_held = false, .position = 0.};
    stage.cc(0);
    stage.cc(60);
    CHECK(stage.desk.morphs == 2);
    stage.desk.stand = {.is_held = false, .position = 0.};  // somebody chose the first scene
    stage.cc(61);
    stage.cc(30);
    CHECK(stage.desk.morphs == 2);
    stage.cc(1);  // one step away is there
    CHECK(stage.desk.morphs == 3);
    stage.desk.stand = {};  // a third scene: at either end
    stage.cc(60);
    stage.cc(100);
    CHECK(stage.desk.morphs == 3);
    stage.cc(127);
    CHECK(stage.desk.morphs == 4);
    CHECK(stage.desk.stand.position == 1.);
}

TEST_CASE("a pedal that jumps needs no picking up, and goes along its curve") {
    Stage stage({pedal(MidiTakeover::jump, MidiCurve::s)});
    stage.desk.stand = {};
    stage.cc(32);
    const double x = 32. / 127.;
    CHECK(stage.desk.stand.position == Approx(x * x * (3. - 2. * x)));
    stage.cc(127);
    CHECK(stage.desk.stand.position == 1.);
}

TEST_CASE("a new table goes on with the pedal in the same hand, if it goes between the same scenes") {
    GraphMidi one = pedal(), other = pedal();
    one.entry.from = other.entry.from = "verse";
    one.entry.to = "solo";
    other.entry.to = "end";
    Stage old({one}), same({one}), another({other});
    old.desk.stand = {.is_held = false, .position = 0.};
    old.cc(0);
    old.cc(50);
    for (Stage* next : {&same, &another}) {
        next->adopt(old);
        next->desk.stand = {.is_held = true, .position = 50. / 127.};
    }
    same.cc(90);
    CHECK(same.desk.morphs == 1);
    another.cc(90);
    CHECK(another.desk.morphs == 0);
}

}  // namespace gainstage::test::midi_scene_test
