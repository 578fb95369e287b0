#include <cmath>

#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_encoder_test {

TEST_CASE("Encoders count in the format that the mapping names") {
    struct Row {
        MidiMode mode;
        int byte, ticks;
    };
    const auto row =
        GENERATE(Row{MidiMode::relative_2c, 1, 1}, Row{MidiMode::relative_2c, 127, -1},
                 Row{MidiMode::relative_2c, 63, 63}, Row{MidiMode::relative_2c, 64, -64},
                 Row{MidiMode::relative_2c, 0, 0}, Row{MidiMode::relative_offset64, 65, 1},
                 Row{MidiMode::relative_offset64, 63, -1}, Row{MidiMode::relative_offset64, 64, 0},
                 Row{MidiMode::relative_offset64, 127, 63}, Row{MidiMode::relative_offset64, 0, -64},
                 Row{MidiMode::relative_signbit, 1, 1}, Row{MidiMode::relative_signbit, 65, -1},
                 Row{MidiMode::relative_signbit, 0, 0}, Row{MidiMode::relative_signbit, 64, 0},
                 Row{MidiMode::relative_signbit, 127, -63}, Row{MidiMode::relative_signbit, 63, 63});
    INFO("mode " << static_cast<int>(row.mode) << ", byte " << row.byte);
    Stage stage({with_mode(row.mode)});
    stage.desk.knobs[0] = 51.f;
    stage.cc(row.byte);
    // Floats of this size are 4e-6 apart.
    CHECK(stage.knob() == Approx(std::clamp(51. + row.ticks * 100. / 127, 0., 100.)).margin(1e-5));
}

TEST_CASE("An encoder starts from the present value of the knob, whoever set it") {
    const auto mode =
        GENERATE(MidiMode::relative_2c, MidiMode::relative_offset64, MidiMode::relative_signbit);
    const int up = mode == MidiMode::relative_offset64 ? 65 : 1;
    Stage stage({with_mode(mode)});
    for (const float present : {10.f, 90.f, 33.3f}) {
        stage.desk.knobs[0] = present;
        stage.cc(up);
        CHECK(stage.knob() == Approx(present + 100. / 127).margin(1e-5));
    }
}

TEST_CASE("127 ticks cover the whole range on every curve, and a tick back undoes a tick") {
    const auto curve = GENERATE(MidiCurve::linear, MidiCurve::log, MidiCurve::exp, MidiCurve::s);
    const auto [min, max] = GENERATE(std::pair{20.f, 20000.f}, std::pair{100.f, 0.f});
    GraphMidi midi = with_range(with_mode(MidiMode::relative_2c), min, max);
    midi.entry.curve = curve;
    midi.target.min = std::min(min, max);
    midi.target.max = std::max(min, max);
    Stage stage({midi});
    stage.desk.knobs[0] = min;
    for (int k = 0; k < 60; ++k) stage.cc(1);
    const float there = stage.knob();
    stage.cc(1);
    CHECK(stage.knob() != there);
    stage.cc(127);
    CHECK(stage.knob() == Approx(there));
    for (int k = 60; k < 127; ++k) stage.cc(1);
    CHECK(stage.knob() == max);
    stage.cc(1);
    CHECK(stage.knob() == max);
    for (int k = 0; k < 127; ++k) stage.cc(127);
    CHECK(stage.knob() == min);
}

TEST_CASE("A 14-bit encoder ticks once per move, by its coarse half") {
    Stage stage({with_source(with_mode(MidiMode::relative_2c), MidiSource::cc14, 1)});
    stage.desk.knobs[0] = 50.f;
    stage.cc(1, 1);
    stage.cc(99, 33);
    CHECK(stage.knob() == Approx(50. + 100. / 127));
}

TEST_CASE("An encoder moves a stepped target by one value a tick") {
    GraphMidi midi = with_mode(MidiMode::relative_2c);
    midi.target.max = 4.f;
    midi.steps = 5;
    SECTION("upwards") {
        Stage stage({midi});
        for (const float expected : {1.f, 2.f, 3.f, 4.f, 4.f}) {
            stage.cc(1);
            CHECK(stage.knob() == expected);
        }
        stage.cc(127);
        CHECK(stage.knob() == 3.f);
    }
    SECTION("inverted, curved") {
        midi.entry.curve = MidiCurve::log;
        Stage stage({with_range(midi, 4., 0.)});
        stage.desk.knobs[0] = 2.f;
        stage.cc(1);
        CHECK(stage.knob() == 1.f);
        stage.cc(126);
        CHECK(stage.knob() == 3.f);
    }
}

TEST_CASE("A stepped target finer than an encoder's tick is covered in 127 ticks") {
    GraphMidi midi = with_mode(MidiMode::relative_2c);
    midi.target.max = 1000.f;
    midi.steps = 1001;
    Stage stage({midi});
    for (int k = 0; k < 127; ++k) {
        stage.cc(1);
        REQUIRE(stage.knob() == std::round(stage.knob()));
    }
    CHECK(stage.knob() == 1000.f);
}

}  // namespace gainstage::test::midi_encoder_test
