#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_switch_test {

TEST_CASE("A toggle switches at each press, from the present state of the target") {
    Stage stage({switch_mapping(MidiMode::toggle)});
    stage.cc(127);
    CHECK(stage.knob() == 1.f);
    stage.cc(0);
    CHECK(stage.knob() == 1.f);
    stage.cc(127);
    CHECK(stage.knob() == 0.f);
    stage.cc(0);
    stage.desk.knobs[0] = 1.f;  // set by somebody else
    stage.cc(127);
    CHECK(stage.knob() == 0.f);
}

TEST_CASE("A pedal that sends nothing on release still toggles") {
    Stage stage({switch_mapping(MidiMode::toggle)});
    for (const float expected : {1.f, 0.f, 1.f}) {
        stage.cc(127);
        CHECK(stage.knob() == expected);
    }
}

TEST_CASE("A fader swept through the middle toggles once") {
    Stage stage({switch_mapping(MidiMode::toggle)});
    for (int value = 0; value < 128; ++value) stage.cc(value);
    CHECK(stage.desk.sets == 1);
    for (int value = 126; value >= 0; --value) stage.cc(value);
    CHECK(stage.desk.sets == 1);
}

TEST_CASE("Each note-on is a press, however soft, even if the release was lost") {
    Stage stage({with_source(switch_mapping(MidiMode::toggle), MidiSource::note, 36)});
    stage.send(0x90, 36, 1);
    CHECK(stage.knob() == 1.f);
    stage.send(0x90, 36, 100);
    CHECK(stage.knob() == 0.f);
}

TEST_CASE("A momentary target is at max while pressed and at min after release") {
    Stage stage({with_range(with_mode(MidiMode::momentary), 10., 80.)});
    stage.desk.knobs[0] = 33.f;
    stage.cc(0);
    CHECK(stage.knob() == 33.f);  // nothing was pressed
    stage.cc(127);
    CHECK(stage.knob() == 80.f);
    stage.cc(0);
    CHECK(stage.knob() == 10.f);
}

TEST_CASE("A trigger sets max at the press and nothing at the release") {
    Stage stage({with_range(with_mode(MidiMode::trigger), 10., 80.)});
    stage.cc(127);
    CHECK(stage.knob() == 80.f);
    stage.desk.knobs[0] = 5.f;
    stage.cc(0);
    CHECK(stage.knob() == 5.f);
    stage.cc(127);
    CHECK(stage.knob() == 80.f);
}

TEST_CASE("A trigger on a controller counts any value above 0 as a press, as pads send them") {
    Stage stage({with_range(with_mode(MidiMode::trigger), 10., 80.)});
    stage.cc(0);
    CHECK(stage.desk.sets == 0);
    stage.cc(12);
    CHECK(stage.knob() == 80.f);
    stage.desk.knobs[0] = 5.f;
    stage.cc(90);  // a knob that is turned further is not a second press
    CHECK(stage.knob() == 5.f);
    stage.cc(0);
    CHECK(stage.knob() == 5.f);
    stage.cc(1);
    CHECK(stage.knob() == 80.f);
}

TEST_CASE("A channel mode message is a press each time, although its value is 0") {
    const int number = GENERATE(120, 121, 123);
    GraphMidi midi = with_mode(GENERATE(MidiMode::absolute, MidiMode::trigger));
    midi.entry.number = number;
    midi.target = {.kind = TargetKind::panic};
    Stage stage({midi});
    for (int k = 0; k < 3; ++k) stage.send(0xb0, number, 0);
    CHECK(stage.desk.panics == 3);
}

TEST_CASE("Each press fires panic, in any mode") {
    const auto mode = GENERATE(MidiMode::absolute, MidiMode::toggle, MidiMode::momentary, MidiMode::trigger,
                               MidiMode::relative_2c);
    GraphMidi midi = with_mode(mode);
    midi.target = {.kind = TargetKind::panic};
    Stage stage({midi});
    stage.cc(127);
    stage.cc(0);
    stage.cc(127);
    CHECK(stage.desk.panics == 2);
    CHECK(stage.desk.sets == 0);
}

}  // namespace gainstage::test::midi_switch_test
