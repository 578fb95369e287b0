#include "runtime/realtime/midi_map.hpp"

#include <array>
#include <cmath>
#include <random>

#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

using namespace gainstage;

namespace {

/// A desk of knobs, all within one node.
struct Desk final : MidiHost {
    std::array<float, 8> knobs{};
    int sets = 0, panics = 0;
    float smooth_ms = -1.f;

    float value(const GraphTarget& target) const noexcept override { return knobs[target.param]; }
    void set(const GraphTarget& target, float value, float smooth) noexcept override {
        knobs[target.param] = value;
        smooth_ms = smooth;
        ++sets;
    }
    void panic() noexcept override { ++panics; }
};

/// cc 21 on channel 1 over a knob of 0..100, absolute, jump: what a test doesn't say otherwise.
GraphMidi knob_mapping() {
    GraphMidi midi;
    midi.entry.channel = 1;
    midi.entry.source = MidiSource::cc;
    midi.entry.number = 21;
    midi.entry.target = "amp.knob";
    midi.entry.takeover = MidiTakeover::jump;
    midi.target = {.kind = TargetKind::parameter, .node = 0, .param = 0, .min = 0.f, .max = 100.f};
    return midi;
}

GraphMidi with_mode(MidiMode mode) {
    GraphMidi midi = knob_mapping();
    midi.entry.mode = mode;
    return midi;
}

GraphMidi with_takeover(MidiTakeover takeover) {
    GraphMidi midi = knob_mapping();
    midi.entry.takeover = takeover;
    return midi;
}

GraphMidi with_range(GraphMidi midi, double min, double max) {
    midi.entry.has_range = true;
    midi.entry.min = min;
    midi.entry.max = max;
    return midi;
}

GraphMidi with_source(GraphMidi midi, MidiSource source, int number) {
    midi.entry.source = source;
    midi.entry.number = number;
    return midi;
}

GraphMidi switch_mapping(MidiMode mode) {
    GraphMidi midi = with_mode(mode);
    midi.entry.target = "amp.bypass";
    midi.target = {.kind = TargetKind::bypass, .node = 0, .param = 0, .min = 0.f, .max = 1.f};
    return midi;
}

/// A table, a desk, and hands.
struct Stage {
    explicit Stage(std::vector<GraphMidi> table) : map(table) {}

    void send(int status, int first, int second) {
        const MidiMessage message{3,
                                  {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(first),
                                   static_cast<std::uint8_t>(second)}};
        const test::RealtimeScope scope;
        map.receive(message, desk);
    }
    void cc(int value, int number = 21, int channel = 1) { send(0xB0 + channel - 1, number, value); }
    float knob(int index = 0) const { return desk.knobs[index]; }

    MidiMap map;
    Desk desk;
};

}  // namespace

TEST_CASE("An absolute controller covers its range, both ends exact") {
    const auto [min, max] = GENERATE(std::pair{0.f, 100.f}, std::pair{-60.f, -6.f}, std::pair{20.f, 20000.f},
                                     std::pair{0.1f, 0.3f}, std::pair{12.f, -12.f});
    const auto curve = GENERATE(MidiCurve::linear, MidiCurve::log, MidiCurve::exp, MidiCurve::s);
    GraphMidi midi = with_range(knob_mapping(), min, max);
    midi.entry.curve = curve;
    midi.target.min = std::min(min, max);
    midi.target.max = std::max(min, max);
    Stage stage({midi});
    stage.cc(127);
    CHECK(stage.knob() == max);
    stage.cc(0);
    CHECK(stage.knob() == min);
    float before = min;
    for (int value = 1; value < 128; ++value) {
        stage.cc(value);
        REQUIRE((stage.knob() > before) == (max > min));
        before = stage.knob();
    }
}

TEST_CASE("Without a range of its own a mapping covers the target's") {
    GraphMidi midi = knob_mapping();
    midi.target.min = -90.f;
    midi.target.max = 12.f;
    Stage stage({midi});
    stage.cc(127);
    CHECK(stage.knob() == 12.f);
    stage.cc(0);
    CHECK(stage.knob() == -90.f);
}

TEST_CASE("Smoothing is handed to the host as the mapping says") {
    GraphMidi midi = knob_mapping();
    midi.smooth_ms = 7.5f;
    Stage stage({midi});
    stage.cc(10);
    CHECK(stage.desk.smooth_ms == 7.5f);
}

TEST_CASE("A message that changes nothing sets nothing") {
    Stage stage({knob_mapping()});
    stage.cc(10);
    stage.cc(10);
    CHECK(stage.desk.sets == 1);
}

TEST_CASE("A mapping hears its channel, its number and its source only") {
    Stage stage({knob_mapping()});
    stage.cc(127, 22);
    stage.cc(127, 21, 2);
    stage.send(0x90, 21, 127);
    stage.send(0xE0, 21, 127);
    stage.send(0xD0, 21, 0);
    CHECK(stage.desk.sets == 0);
    stage.cc(127);
    CHECK(stage.desk.sets == 1);
}

TEST_CASE("An omni mapping hears all sixteen channels") {
    GraphMidi midi = knob_mapping();
    midi.entry.channel = 0;
    Stage stage({midi});
    for (int channel = 1; channel <= 16; ++channel) stage.cc(channel, 21, channel);
    CHECK(stage.desk.sets == 16);
}

TEST_CASE("Several mappings may share a controller, in the patch's order") {
    GraphMidi second = with_range(knob_mapping(), 100., 0.);
    second.target.param = 1;
    GraphMidi other = with_source(knob_mapping(), MidiSource::cc, 5);
    other.target.param = 2;
    Stage stage({knob_mapping(), other, second});
    stage.desk.knobs = {50.f, 50.f, 50.f};
    stage.cc(127);
    CHECK(stage.knob(0) == 100.f);
    CHECK(stage.knob(1) == 0.f);
    CHECK(stage.knob(2) == 50.f);
}

TEST_CASE("A table without entries is silent") {
    Stage stage({});
    stage.cc(1);
    CHECK(stage.desk.sets == 0);
}

TEST_CASE("Sources of 14 bits move in steps finer than a 128th") {
    SECTION("14-bit controller") {
        Stage stage({with_source(knob_mapping(), MidiSource::cc14, 1)});
        stage.cc(64, 1);
        stage.cc(1, 33);
        CHECK(stage.knob() == Approx(100. * 8193 / 16383));
        stage.cc(127, 1);
        stage.cc(127, 33);
        CHECK(stage.knob() == 100.f);
    }
    SECTION("NRPN") {
        Stage stage({with_source(knob_mapping(), MidiSource::nrpn, 1000)});
        stage.cc(7, 99);
        stage.cc(104, 98);
        stage.cc(64, 6);
        stage.cc(1, 38);
        CHECK(stage.knob() == Approx(100. * 8193 / 16383));
        stage.cc(0, 96);
        CHECK(stage.knob() == Approx(100. * 8193 / 16383 + 100. / 127));
        stage.cc(0, 97);
        CHECK(stage.knob() == Approx(100. * 8193 / 16383));
        stage.cc(105, 98);
        stage.cc(127, 6);
        CHECK(stage.knob() == Approx(100. * 8193 / 16383));
    }
    SECTION("pitch bend") {
        Stage stage({with_range(with_source(knob_mapping(), MidiSource::pitchbend, 0), -12., 12.)});
        stage.desk.knobs[0] = 5.f;
        stage.send(0xE0, 0, 64);
        CHECK(stage.knob() == 0.f);
        stage.send(0xE0, 127, 127);
        CHECK(stage.knob() == 12.f);
        stage.send(0xE0, 0, 0);
        CHECK(stage.knob() == -12.f);
    }
}

TEST_CASE("A note's velocity jumps whatever the takeover, and its release does nothing") {
    Stage stage({with_source(with_takeover(MidiTakeover::pickup), MidiSource::note, 60)});
    stage.send(0x90, 60, 127);
    CHECK(stage.knob() == 100.f);
    stage.send(0x80, 60, 64);
    stage.send(0x90, 60, 0);
    CHECK(stage.knob() == 100.f);
    stage.send(0x90, 60, 64);
    CHECK(stage.knob() == Approx(6400. / 127));
}

TEST_CASE("Encoders count in the dialect that the mapping names") {
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

TEST_CASE("An encoder starts from the knob's present value, whoever put it there") {
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

TEST_CASE("127 ticks are the whole way on every curve, and a tick back undoes a tick") {
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

TEST_CASE("An encoder of 14 bits ticks once per move, by its coarse half") {
    Stage stage({with_source(with_mode(MidiMode::relative_2c), MidiSource::cc14, 1)});
    stage.desk.knobs[0] = 50.f;
    stage.cc(1, 1);
    stage.cc(99, 33);
    CHECK(stage.knob() == Approx(50. + 100. / 127));
}

TEST_CASE("A toggle goes to and fro at each press, from where the target stands") {
    Stage stage({switch_mapping(MidiMode::toggle)});
    stage.cc(127);
    CHECK(stage.knob() == 1.f);
    stage.cc(0);
    CHECK(stage.knob() == 1.f);
    stage.cc(127);
    CHECK(stage.knob() == 0.f);
    stage.cc(0);
    stage.desk.knobs[0] = 1.f;  // somebody else
    stage.cc(127);
    CHECK(stage.knob() == 0.f);
}

TEST_CASE("A pedal that sends nothing when let go toggles all the same") {
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

TEST_CASE("Each note-on is a press, however soft, even when the release got lost") {
    Stage stage({with_source(switch_mapping(MidiMode::toggle), MidiSource::note, 36)});
    stage.send(0x90, 36, 1);
    CHECK(stage.knob() == 1.f);
    stage.send(0x90, 36, 100);
    CHECK(stage.knob() == 0.f);
}

TEST_CASE("A momentary target is at max while pressed and at min when let go") {
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

TEST_CASE("A trigger on a controller takes any value above 0 for a press, as pads send them") {
    Stage stage({with_range(with_mode(MidiMode::trigger), 10., 80.)});
    stage.cc(0);
    CHECK(stage.desk.sets == 0);
    stage.cc(12);
    CHECK(stage.knob() == 80.f);
    stage.desk.knobs[0] = 5.f;
    stage.cc(90);  // a knob that is turned on is no second press
    CHECK(stage.knob() == 5.f);
    stage.cc(0);
    CHECK(stage.knob() == 5.f);
    stage.cc(1);
    CHECK(stage.knob() == 80.f);
}

TEST_CASE("A channel mode message is a press each time, though its value is 0") {
    const int number = GENERATE(120, 121, 123);
    GraphMidi midi = with_mode(GENERATE(MidiMode::absolute, MidiMode::trigger));
    midi.entry.number = number;
    midi.target = {.kind = TargetKind::panic};
    Stage stage({midi});
    for (int k = 0; k < 3; ++k) stage.send(0xb0, number, 0);
    CHECK(stage.desk.panics == 3);
}

TEST_CASE("Panic is fired by each press, in any mode") {
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

TEST_CASE("Stepped targets only ever see their steps") {
    GraphMidi midi = knob_mapping();
    midi.target.max = 4.f;
    midi.steps = 5;
    const auto curve = GENERATE(MidiCurve::linear, MidiCurve::log, MidiCurve::exp, MidiCurve::s);
    midi.entry.curve = curve;
    Stage stage({midi});
    for (int value = 0; value < 128; ++value) {
        stage.cc(value);
        REQUIRE(stage.knob() == std::round(stage.knob()));
    }
    CHECK(stage.desk.sets == 4);
    CHECK(stage.knob() == 4.f);
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

TEST_CASE("Jump goes to the control at once") {
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

TEST_CASE("Pickup lets go of a knob that somebody else moves, and takes it again when reached") {
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

TEST_CASE("Pickup never moves a knob further than a step beyond the control's own move") {
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
        // A crossing may cover the control's whole move; reaching may cover one step of 1/127 besides the
        // move.
        REQUIRE(moved <= (std::abs(to - control) + 1) / 127. + 1e-4);
        moves += stage.desk.sets - sets;
        control = to;
    }
    CHECK(moves > 1000);  // else it would have held still all the time
}

TEST_CASE("Pickup knows that a control and a stepped knob agree when they mean the same step") {
    GraphMidi midi = with_takeover(MidiTakeover::pickup);
    midi.target.max = 2.f;
    midi.steps = 3;
    Stage stage({midi});
    stage.desk.knobs[0] = 2.f;
    stage.cc(20);
    CHECK(stage.knob() == 2.f);
    stage.cc(110);  // step 2, though the knob stands at 127
    stage.cc(64);
    CHECK(stage.knob() == 1.f);
}

TEST_CASE("A switch has no way to travel: the first press is heard whatever the takeover") {
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

TEST_CASE("Scale divides the ways that are left in proportion and meets at the end") {
    Stage stage({with_takeover(MidiTakeover::scale)});
    stage.desk.knobs[0] = 80.f;
    stage.cc(27);
    CHECK(stage.knob() == 80.f);  // the first message only tells where the control stands
    stage.cc(77);                 // half of the control's 100 steps up: half of the knob's 20
    CHECK(stage.knob() == Approx(90.));
    stage.cc(127);
    CHECK(stage.knob() == 100.f);
    stage.cc(64);  // they have met: one to one
    CHECK(stage.knob() == Approx(6400. / 127));
}

TEST_CASE("Scale downwards reaches the bottom together") {
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

TEST_CASE("Scale moves a knob the control's way, by no jump, and stays in range") {
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
            // One step out of n left moves the knob by one n-th of its own way: never more than this.
            const double left = to > control ? 127 - control : control;
            const double way = to > control ? 100. - before : before;
            REQUIRE(std::abs(stage.knob() - before) <= std::max(way / left, 100. / 127) + 1e-3);
        }
        REQUIRE(stage.knob() >= 0.f);
        REQUIRE(stage.knob() <= 100.f);
        control = to;
    }
}

TEST_CASE("A new table takes over what controllers said and which mappings hold their knobs") {
    GraphMidi pickup = with_takeover(MidiTakeover::pickup);
    GraphMidi other = with_source(with_takeover(MidiTakeover::pickup), MidiSource::cc14, 2);
    other.entry.target = "amp.other";
    other.target.param = 1;
    Stage old({pickup, other});
    old.cc(0);
    old.cc(40);
    old.cc(0, 2);
    old.cc(64, 2);
    old.cc(1, 34);

    // In the new plan the nodes and the order of the entries are others, and a stranger has come.
    GraphMidi stranger = with_source(with_takeover(MidiTakeover::pickup), MidiSource::cc, 9);
    stranger.entry.target = "echo.mix_percent";
    stranger.target.param = 2;
    GraphMidi moved_pickup = pickup, moved_other = other;
    moved_pickup.target.param = 4;
    moved_other.target.param = 3;
    Stage stage({stranger, moved_other, moved_pickup});
    stage.desk.knobs[4] = old.knob(0);
    stage.desk.knobs[3] = old.knob(1);
    {
        const test::RealtimeScope scope;
        stage.map.adopt(old.map);
    }
    stage.cc(127);  // far away from 40, but it holds the knob
    CHECK(stage.knob(4) == 100.f);
    stage.cc(2, 34);  // the fine half joins the coarse half that the old table heard
    CHECK(stage.knob(3) == Approx(100. * 8194 / 16383));
    stage.desk.knobs[2] = 60.f;
    stage.cc(2, 9);
    CHECK(stage.knob(2) == 60.f);
}

TEST_CASE("A control that held a stepped knob goes on holding it in a new table") {
    GraphMidi midi = with_takeover(MidiTakeover::pickup);
    midi.target.max = 2.f;
    midi.steps = 3;
    Stage old({midi}), stage({midi});
    old.cc(0);
    old.cc(76);  // step 1, beyond its middle
    stage.desk.knobs[0] = old.knob();
    stage.map.adopt(old.map);
    stage.cc(110);
    CHECK(stage.knob() == 2.f);
}

TEST_CASE("Mappings of one controller are told apart by their targets' names") {
    GraphMidi held = with_takeover(MidiTakeover::pickup), free = held;
    free.entry.target = "amp.other";
    free.target.param = 1;
    Stage old({held, free});
    old.desk.knobs[1] = 90.f;
    old.cc(0);
    old.cc(40);
    held.target.param = 2;
    free.target.param = 3;
    Stage stage({free, held});
    stage.desk.knobs[2] = old.knob(0);
    stage.desk.knobs[3] = old.knob(1);
    stage.map.adopt(old.map);
    stage.cc(60);
    CHECK(stage.knob(2) == Approx(6000. / 127));
    CHECK(stage.knob(3) == 90.f);
}

TEST_CASE("A new entry inherits nothing from entries that are gone") {
    std::vector<GraphMidi> gone, fresh;
    for (int k = 0; k < 64; ++k) {
        GraphMidi midi = with_takeover(MidiTakeover::pickup);
        midi.target.param = 0;
        midi.entry.target = "gone.knob" + std::to_string(k);
        gone.push_back(midi);
        midi.target.param = 1;
        midi.entry.target = "fresh.knob" + std::to_string(k);
        fresh.push_back(midi);
    }
    Stage old(gone), stage(fresh);
    old.cc(0);
    old.cc(40);
    stage.desk.knobs[1] = old.knob(0);
    stage.map.adopt(old.map);
    stage.cc(100);
    CHECK(stage.knob(1) == old.knob(0));
}

TEST_CASE("Increments leave the place of the control as it was") {
    Stage stage({with_source(with_takeover(MidiTakeover::pickup), MidiSource::nrpn, 3)});
    stage.desk.knobs[0] = 50.f;
    stage.cc(0, 99);
    stage.cc(3, 98);
    stage.cc(100, 6);
    stage.cc(0, 96);
    const float after_tick = stage.knob();
    CHECK(after_tick == Approx(50. + 100. / 127));
    stage.cc(101, 6);  // still above the knob: nothing was crossed
    CHECK(stage.knob() == after_tick);
}

TEST_CASE("A mapping whose range was edited keeps the control's place but lets go of the knob") {
    Stage old({with_takeover(MidiTakeover::pickup)});
    old.cc(0);
    old.cc(100);
    Stage stage({with_range(with_takeover(MidiTakeover::pickup), 0., 50.)});
    stage.desk.knobs[0] = 10.f;  // a fifth of the new way
    stage.map.adopt(old.map);
    stage.cc(101);
    CHECK(stage.knob() == 10.f);
    stage.cc(20);  // crosses a fifth of 127, coming from 101
    CHECK(stage.knob() == Approx(1000. / 127));
}

TEST_CASE("A control doesn't hold a knob over another range, even if the knob stayed where it was") {
    Stage old({with_takeover(MidiTakeover::pickup)});
    old.cc(0);
    old.cc(100);
    GraphMidi wider = with_takeover(MidiTakeover::pickup);
    wider.target.max = 200.f;
    Stage stage({wider});
    stage.desk.knobs[0] = old.knob();
    stage.map.adopt(old.map);
    stage.cc(101);
    CHECK(stage.knob() == old.knob());
}

TEST_CASE("Adopting an empty, a shorter or a longer table is harmless") {
    std::vector<GraphMidi> table;
    for (int k = 0; k < 8; ++k) {
        table.push_back(with_source(knob_mapping(), MidiSource::cc, k));
        table.back().target.param = k;
    }
    for (const std::size_t before : {0u, 3u, 8u})
        for (const std::size_t after : {0u, 3u, 8u}) {
            Stage old({table.begin(), table.begin() + before}), stage({table.begin(), table.begin() + after});
            for (int k = 0; k < 8; ++k) old.cc(9, k);
            stage.map.adopt(old.map);
            for (int k = 0; k < 8; ++k) stage.cc(127, k);
            CHECK(stage.desk.sets == static_cast<int>(after));
        }
}

TEST_CASE("Any bytes in any order leave every knob within its range") {
    std::vector<GraphMidi> table;
    for (const MidiSource source :
         {MidiSource::cc, MidiSource::cc14, MidiSource::nrpn, MidiSource::pitchbend, MidiSource::note})
        for (int mode = 0; mode < 7; ++mode)
            for (int curve = 0; curve < 4; ++curve)
                for (int takeover = 0; takeover < 3; ++takeover) {
                    GraphMidi midi = with_source(with_mode(static_cast<MidiMode>(mode)), source,
                                                 source == MidiSource::pitchbend ? 0 : mode);
                    midi.entry.channel = 0;
                    midi.entry.curve = static_cast<MidiCurve>(curve);
                    midi.entry.takeover = static_cast<MidiTakeover>(takeover);
                    midi.target.param = static_cast<int>(table.size() % 8);
                    midi.steps = curve;
                    table.push_back(with_range(midi, takeover * 30., 100. - takeover * 30.));
                }
    Stage stage(table);
    std::mt19937 random(17);
    for (int k = 0; k < 20'000; ++k) {
        const auto bits = random();
        const int controls[] = {6, 38, 96, 97, 98, 99, 0, 32};
        const int first = bits & 0x1000 ? controls[bits >> 8 & 7] : static_cast<int>(bits >> 16 & 7);
        const int status = 0x80 + static_cast<int>(bits & 0x70);
        if (status < 0xF0) stage.send(status, first, static_cast<int>(bits >> 24 & 0x7F));
        for (const float knob : stage.desk.knobs) {
            REQUIRE(knob >= 0.f);
            REQUIRE(knob <= 100.f);
        }
    }
    CHECK(stage.desk.sets > 1000);
}
