#include <cmath>
#include <random>

#include "tests/support/midi_desk.hpp"

namespace gainstage::test::midi_map_test {

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

TEST_CASE("Without its own range a mapping covers the range of the target") {
    GraphMidi midi = knob_mapping();
    midi.target.min = -90.f;
    midi.target.max = 12.f;
    Stage stage({midi});
    stage.cc(127);
    CHECK(stage.knob() == 12.f);
    stage.cc(0);
    CHECK(stage.knob() == -90.f);
}

TEST_CASE("Smoothing is passed to the host as the mapping states it") {
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

TEST_CASE("A mapping follows only its channel, its number and its source") {
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

TEST_CASE("An omni mapping follows all sixteen channels") {
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

TEST_CASE("A table without entries does nothing") {
    Stage stage({});
    stage.cc(1);
    CHECK(stage.desk.sets == 0);
}

TEST_CASE("14-bit sources move in steps finer than 1/128") {
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

TEST_CASE("The velocity of a note jumps with any takeover, and the release does nothing") {
    Stage stage({with_source(with_takeover(MidiTakeover::pickup), MidiSource::note, 60)});
    stage.send(0x90, 60, 127);
    CHECK(stage.knob() == 100.f);
    stage.send(0x80, 60, 64);
    stage.send(0x90, 60, 0);
    CHECK(stage.knob() == 100.f);
    stage.send(0x90, 60, 64);
    CHECK(stage.knob() == Approx(6400. / 127));
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

TEST_CASE("A control that sends its fine half first moves its knob once a move, and never up and down") {
    GraphMidi midi = with_source(knob_mapping(), MidiSource::cc14, 1);
    midi.entry.order = MidiOrder::lsb_first;
    Stage stage({midi});
    float before = 0.f;
    for (int value = 0; value < 16'384; value += 5) {
        stage.cc(value % 128, 33);
        CHECK(stage.knob() == before);  // a fine half alone waits for its coarse half
        stage.cc(value / 128, 1);
        CHECK(stage.knob() == Approx(100. * value / 16383).margin(1e-4));
        REQUIRE(stage.knob() >= before);
        before = stage.knob();
    }
    GraphMidi nrpn = with_source(knob_mapping(), MidiSource::nrpn, 130);
    nrpn.entry.order = MidiOrder::lsb_first;
    Stage desk({nrpn});
    for (const auto& [number, value] :
         {std::pair(99, 1), std::pair(98, 2), std::pair(38, 127), std::pair(6, 63)})
        desk.cc(value, number);
    CHECK(desk.knob() == Approx(100. * 8191 / 16383));
    desk.cc(0, 96);  // increment
    CHECK(desk.knob() == Approx(100. * (8191. / 16383 + 1. / 127)));
}

namespace {

/// Sends a sweep from `from` to `to`, a half at a time. Returns after how many moves the knob was elsewhere.
int wrong_moves(Stage& stage, int from, int to, int step, bool fine_first) {
    int wrong = 0;
    for (int value = from; from < to ? value < to : value > to; value += from < to ? step : -step) {
        for (const bool is_fine : {fine_first, !fine_first})
            stage.cc(is_fine ? value % 128 : value / 128, is_fine ? 33 : 1);
        wrong += std::abs(stage.knob() - 100. * value / 16'383) > 1e-3;
    }
    return wrong;
}

}  // namespace

TEST_CASE("Which half comes first is recognised in a sweep, and a preset's leaps show nothing") {
    const int step = GENERATE(1, 5, 31);
    Stage stage({with_source(knob_mapping(), MidiSource::cc14, 1)});
    CHECK(wrong_moves(stage, 0, 512, step, true) > 0);  // until the coarse half has changed twice
    CHECK(wrong_moves(stage, 512, 16'000, step, true) == 0);
    CHECK(wrong_moves(stage, 16'000, 0, step, true) == 0);
    // Another controller takes its place.
    wrong_moves(stage, 0, 1'024, step, false);
    CHECK(wrong_moves(stage, 1'024, 16'000, step, false) == 0);
    CHECK(wrong_moves(stage, 16'000, 0, step, false) == 0);
    unsigned random = 1;
    for (int k = 0; k < 5'000; ++k) {
        random = random * 1'664'525u + 1'013'904'223u;
        const int value = static_cast<int>(random >> 18);
        CHECK(wrong_moves(stage, value, value + 1, 1, false) == 0);
    }
}

TEST_CASE("An order that is written down is not guessed") {
    GraphMidi midi = with_source(knob_mapping(), MidiSource::cc14, 1);
    midi.entry.order = MidiOrder::msb_first;
    Stage stage({midi});
    CHECK(wrong_moves(stage, 0, 16'000, 5, true) > 1'000);
}

}  // namespace gainstage::test::midi_map_test
