#include "nodes/effects/gain.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::gain_test {

TEST_CASE("gain: it is as many decibels as the knob says, and 0 changes no bit") {
    const Channel noise = white_noise(1000, 1);
    for (const float db : {-60.f, -6.f, 12.f, 60.f}) {
        NodeRunner gain(Gain::type(), {.params = {{"gain_db", db}}});
        // float exp2 and one rounding per sample: far below 0.001 dB
        CHECK(rms_db(gain.run(mono(noise))[0]) == Approx(rms_db(noise) + double{db}).margin(0.001));
    }
    CHECK(bit_difference(NodeRunner(Gain::type()).run(mono(noise)), mono(noise)).empty());
}

TEST_CASE("gain: the lowest value is silence") {
    NodeRunner gain(Gain::type(), {.params = {{"gain_db", -120.f}}});
    CHECK(peak(gain.run(mono(white_noise(100, 1)))[0]) == 0.);
}

TEST_CASE("gain: at its upper end it is held to +80 dBFS, below 56 dB nothing is") {
    const auto played = [](float db, float in) {
        NodeRunner gain(Gain::type(), {.params = {{"gain_db", db}}});
        return gain.run(mono(constant(70, in)))[0].back();
    };
    CHECK(played(60.f, 15.f) == 1e4f);
    CHECK(played(60.f, -15.f) == -1e4f);
    CHECK(played(60.f, 9.f) > 8'999.f);
    CHECK(played(60.f, 9.f) < 9'001.f);
    CHECK(played(56.f, 20.f) > 12'000.f);
}

TEST_CASE("gain: a move is straight in decibels and starts at its sample") {
    NodeRunner gain(Gain::type());
    const Channel out =
        gain.run(mono(constant(3000, 1.f)), {}, {{100, "gain_db", -20.f, 20.f}})[0];  // 960 samples
    CHECK(out[100] == 1.f);
    CHECK(out[101] < 1.f);
    CHECK(to_db(out[580]) == Approx(-10.).margin(0.001));
    CHECK(to_db(out[1060]) == Approx(-20.).margin(0.001));
    CHECK(out[2999] == out[1060]);
}

TEST_CASE("gain: left and right get the same") {
    NodeRunner gain(Gain::type(), {.channels = 2, .params = {{"gain_db", 6.f}}});
    const Sound out = gain.run(stereo(constant(10, 0.5f), constant(10, -0.25f)));
    CHECK(out[0][5] == -2.f * out[1][5]);
}

}  // namespace gainstage::test::gain_test
