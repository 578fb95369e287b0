#include <cmath>
#include <random>

#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_takeover_test {

TEST_CASE("Jump goes to the position of the control at once") {
    Stage stage({with_takeover(MidiTakeover::jump)});
    stage.desk.knobs[0] = 100.f;
    stage.cc(1);
    CHECK(stage.knob() == Approx(100. / 127));
}

TEST_CASE("Pickup waits until the control reaches the knob, from either side") {
    const int side = GENERATE(-1, 1);
    Stage stage({with_takeover(MidiTakeover::pickup)});
    stage.desk.knobs[0] = static_cast<float>(64 * 100. / 127);
    for (int away = 30; away > 1; --away) stage.cc(64 + side * away);
    CHECK(stage.desk.sets == 0);
    stage.cc(64 + side);
    CHECK(stage.knob() == Approx((64 + side) * 100. / 127));
    stage.cc(0);
    CHECK(stage.knob() == 0.f);
}

TEST_CASE("Pickup catches a fast control that crosses the knob between two messages") {
    Stage stage({with_takeover(MidiTakeover::pickup)});
    stage.desk.knobs[0] = 50.f;
    stage.cc(40);
    CHECK(stage.desk.sets == 0);
    stage.cc(90);
    CHECK(stage.knob() == Approx(9000. / 127));
}

TEST_CASE(
    "Pickup lets go of a knob that somebody else moves, and takes it again when the control reaches it") {
    Stage stage({with_takeover(MidiTakeover::pickup)});
    stage.cc(0);
    stage.cc(20);
    CHECK(stage.knob() == Approx(2000. / 127));
    stage.desk.knobs[0] = 80.f;
    stage.cc(21);
    CHECK(stage.knob() == 80.f);
    stage.cc(101);
    CHECK(stage.knob() == Approx(10100. / 127));
}

TEST_CASE("Pickup moves a knob at most one step further than the control moved") {
    const auto curve = GENERATE(MidiCurve::linear, MidiCurve::log, MidiCurve::exp, MidiCurve::s);
    const auto source = GENERATE(MidiSource::cc, MidiSource::pitchbend);
    GraphMidi midi = with_source(with_range(with_takeover(MidiTakeover::pickup), 1., 100.), source,
                                 source == MidiSource::cc ? 21 : 0);
    midi.entry.curve = curve;
    const MidiCurveScale scale(curve, 1.f, 100.f);
    Stage stage({midi});
    std::mt19937 random(3);
    int control = 64, moves = 0;
    for (int k = 0; k < 20'000; ++k) {
        if (random() % 200 == 0)
            stage.desk.knobs[0] = scale.value_at(static_cast<double>(random() % 1000) / 1000.);
        const int to = std::clamp(control + static_cast<int>(random() % 9) - 4, 0, 127);
        const double before = scale.position_of(stage.knob());
        const int sets = stage.desk.sets;
        if (source == MidiSource::cc)
            stage.cc(to);
        else
            stage.send(0xE0, 0, to);
        const double moved = std::abs(scale.position_of(stage.knob()) - before);
        // A crossing may cover the whole move of the control. Reaching the knob may add one step of 1/127 to
        // the move.
        REQUIRE(moved <= (std::abs(to - control) + 1) / 127. + 1e-4);
        moves += stage.desk.sets - sets;
        control = to;
    }
    CHECK(moves > 1000);  // else it would not have moved at all
}

TEST_CASE("With pickup a control and a stepped knob agree if they mean the same step") {
    GraphMidi midi = with_takeover(MidiTakeover::pickup);
    midi.target.max = 2.f;
    midi.steps = 3;
    Stage stage({midi});
    stage.desk.knobs[0] = 2.f;
    stage.cc(20);
    CHECK(stage.knob() == 2.f);
    stage.cc(110);  // step 2, although the knob is at 127
    stage.cc(64);
    CHECK(stage.knob() == 1.f);
}

TEST_CASE("A switch needs no pickup: the first press counts with any takeover") {
    for (const MidiTakeover takeover : {MidiTakeover::pickup, MidiTakeover::scale}) {
        GraphMidi midi = switch_mapping(MidiMode::absolute);
        midi.entry.takeover = takeover;
        Stage stage({midi});
        stage.cc(127);
        CHECK(stage.knob() == 1.f);
        stage.cc(0);
        CHECK(stage.knob() == 0.f);
    }
}

TEST_CASE("Scale divides the remaining distances in proportion, and the two meet at the end") {
    Stage stage({with_takeover(MidiTakeover::scale)});
    stage.desk.knobs[0] = 80.f;
    stage.cc(27);
    CHECK(stage.knob() == 80.f);  // the first message only tells the position of the control
    stage.cc(77);                 // half of the control's 100 steps up: half of the knob's 20
    CHECK(stage.knob() == Approx(90.));
    stage.cc(127);
    CHECK(stage.knob() == 100.f);
    stage.cc(64);  // they have met: one to one
    CHECK(stage.knob() == Approx(6400. / 127));
}

TEST_CASE("Scale downwards: both reach the bottom together") {
    Stage stage({with_takeover(MidiTakeover::scale)});
    stage.desk.knobs[0] = 20.f;
    stage.cc(100);
    stage.cc(50);
    CHECK(stage.knob() == Approx(10.));
    stage.cc(0);
    CHECK(stage.knob() == 0.f);
    stage.cc(64);
    CHECK(stage.knob() == Approx(6400. / 127));
}

TEST_CASE("Scale moves a knob in the control's direction, without a jump, and within the range") {
    Stage stage({with_takeover(MidiTakeover::scale)});
    std::mt19937 random(5);
    stage.cc(64);
    int control = 64;
    for (int k = 0; k < 20'000; ++k) {
        if (random() % 50 == 0) stage.desk.knobs[0] = static_cast<float>(random() % 101);
        const int to = std::clamp(control + (random() % 2 ? 1 : -1), 0, 127);
        const float before = stage.knob();
        stage.cc(to);
        if (to > control) REQUIRE(stage.knob() >= before - 1e-4f);  // floats of this size are 8e-6 apart
        if (to < control) REQUIRE(stage.knob() <= before + 1e-4f);
        if (to != 0 && to != 127 && control != 0 && control != 127) {
            // One step of n remaining ones moves the knob by 1/n of its remaining distance, never more.
            const double left = to > control ? 127 - control : control;
            const double way = to > control ? 100. - before : before;
            REQUIRE(std::abs(stage.knob() - before) <= std::max(way / left, 100. / 127) + 1e-3);
        }
        REQUIRE(stage.knob() >= 0.f);
        REQUIRE(stage.knob() <= 100.f);
        control = to;
    }
}

}  // namespace gainstage::test::midi_takeover_test
