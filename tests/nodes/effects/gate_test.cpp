#include "nodes/effects/gate.hpp"

#include <cmath>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::gate_test {

namespace {

constexpr double rate_hz = 48'000.;

float amplitude(double db) {
    return static_cast<float>(std::pow(10., db / 20.));
}

/// A tone with one second of each level in turn.
Channel levels(const std::vector<double>& peaks_db, double hz = 997.) {
    Channel all;
    for (const double db : peaks_db)
        for (const float x : sine(48'000, hz, rate_hz, amplitude(db))) all.push_back(x);
    return all;
}

/// Gain of the gate in the last half of second `n`.
double gain_db_in_second(const Channel& in, const Channel& out, int n) {
    const int from = n * 48'000 + 24'000, to = from + 24'000;
    return rms_db(part(out, from, to)) - rms_db(part(in, from, to));
}

/// First frame at which the gain of a constant key reaches `gain`, rising or falling.
int frame_of_gain(const Channel& out, double input, double gain, bool rising, int from) {
    for (int k = from; k < static_cast<int>(out.size()); ++k)
        if (rising == (out[k] / input >= gain)) return k - from;
    return -1;
}

}  // namespace

TEST_CASE("gate: opens at the threshold and closes below the hysteresis, within 0.1 dB") {
    // The peak of a sampled 997 Hz tone lies within 0.02 dB of its amplitude.
    NodeRunner gate(Gate::type(),
                    {.params = {{"threshold_db", -40.f}, {"hysteresis_db", 6.f}, {"hold_ms", 0.f}}});
    const Channel in = levels({-40.1, -39.9, -45.9, -46.1, -40.1});
    const Channel out = gate.run(mono(in))[0];
    CHECK(gain_db_in_second(in, out, 0) == Approx(-60.).margin(0.1));
    CHECK(gain_db_in_second(in, out, 1) == Approx(0.).margin(0.001));
    CHECK(gain_db_in_second(in, out, 2) == Approx(0.).margin(0.001));
    CHECK(gain_db_in_second(in, out, 3) < -40.);  // on its way down: 8.7 dB per 100 ms from 1 s on
    CHECK(gain_db_in_second(in, out, 4) == Approx(-60.).margin(0.1));
}

TEST_CASE(
    "gate: a steady tone of 40 Hz or more above the closing level never makes it flutter, without any hold") {
    for (const double hz : {40.3, 55., 440., 5000.}) {
        NodeRunner gate(Gate::type(),
                        {.params = {{"threshold_db", -40.f}, {"hysteresis_db", 0.5f}, {"hold_ms", 0.f}}});
        const Sound in = mono(levels({-39.8, -40.3, -40.3}, hz));
        CHECK(bit_difference(cut(gate.run(in), 48'000), cut(in, 48'000)).empty());
    }
}

TEST_CASE("gate: closed, it is down by its range") {
    for (const float range_db : {-90.f, -20.f, 0.f}) {
        NodeRunner gate(Gate::type(), {.params = {{"range_db", range_db}}});
        const Channel in = levels({-55.});
        CHECK(gain_db_in_second(in, gate.run(mono(in))[0], 0) == Approx(range_db).margin(0.01));
    }
}

TEST_CASE("gate: attack and release reach 63 % in their time, after the hold") {
    // One sample of the grid is 0.2 % of the shortest time here. 1 % covers float rounding and the
    // half-sample.
    const std::vector<std::pair<std::string, float>> knobs{{"attack_ms", 10.f},    {"hold_ms", 200.f},
                                                           {"release_ms", 50.f},   {"threshold_db", -20.f},
                                                           {"hysteresis_db", 0.f}, {"range_db", -90.f}};
    NodeRunner gate(Gate::type(), {.params = knobs});
    const Channel opening = gate.run(mono(constant(9600, 0.5f)))[0];
    CHECK(frame_of_gain(opening, 0.5, 1. - std::exp(-1.), true, 0) == Approx(480).epsilon(0.01));

    // The programme stays at 0.5 while the key stops: 12.5 ms until the level falls, then the hold.
    NodeRunner keyed(Gate::type(), {.input_channels = {1, 1}, .params = knobs});
    Channel key = constant(48'000, 0.5f);
    std::fill(key.begin() + 9600, key.end(), 0.f);
    const Channel out = keyed.run(Ports{mono(constant(48'000, 0.5f)), mono(key)})[0][0];
    const int closing = frame_of_gain(out, 0.5, 0.9999, false, 9600);
    CHECK(closing == Approx((12.5 + 200.) * 48.).epsilon(0.01));
    CHECK(frame_of_gain(out, 0.5, std::exp(-1.), false, 9600 + closing) == Approx(50. * 48.).epsilon(0.01));
}

TEST_CASE("gate: fully open it changes no bit, and silence stays silence") {
    NodeRunner gate(Gate::type());
    const Sound noise = mono(white_noise(48'000, 1));
    CHECK(bit_difference(cut(gate.run(noise), 1000), cut(noise, 1000)).empty());
    CHECK(peak(NodeRunner(Gate::type()).run(mono(silence(1000)))[0]) == 0.);
}

TEST_CASE("gate: a sidechain opens it whatever the programme is") {
    NodeRunner gate(Gate::type(), {.channels = 2, .input_channels = {2, 1}});
    const Ports out =
        gate.run({stereo(constant(48'000, 1e-4f), constant(48'000, -1e-4f)), mono(levels({-10.}))});
    CHECK(out[0][0].back() == 1e-4f);
    CHECK(out[0][1].back() == -1e-4f);
    const Ports shut =
        NodeRunner(Gate::type(), {.channels = 2, .input_channels = {2, 1}})
            .run({stereo(constant(48'000, 1.f), constant(48'000, 1.f)), mono(silence(48'000))});
    CHECK(to_db(shut[0][0].back()) == Approx(-60.).margin(0.01));
}

TEST_CASE("gate: linked, the louder channel opens both; unlinked, each opens itself") {
    const Sound in = stereo(levels({-10.}), levels({-70.}));
    const Sound linked = NodeRunner(Gate::type(), {.channels = 2}).run(in);
    CHECK(gain_db_in_second(in[1], linked[1], 0) == Approx(0.).margin(0.001));
    const Sound apart = NodeRunner(Gate::type(), {.channels = 2, .options = {{"link", false}}}).run(in);
    CHECK(gain_db_in_second(in[0], apart[0], 0) == Approx(0.).margin(0.001));
    CHECK(gain_db_in_second(in[1], apart[1], 0) == Approx(-60.).margin(0.01));
}

TEST_CASE("gate: reports its gain reduction") {
    NodeRunner gate(Gate::type());
    gate.run(mono(levels({-70.})));
    CHECK(gate.reading("gain_reduction_db") == Approx(60.).margin(0.01));
    gate.run(mono(levels({-10.})));
    CHECK(gate.reading("gain_reduction_db") == 0.f);
}

TEST_CASE("gate: keeps the promises of a node") {
    const Ports in{stereo(bursts(6000, 300., rate_hz, 0.02, 0.03, 0.5, 1e-4), white_noise(6000, 1, 0.003f)),
                   stereo(bursts(6000, 900., rate_hz, 0.03, 0.01, 0.5, 1e-4), white_noise(6000, 2, 0.01f))};
    const std::vector<Move> moves{{100, "threshold_db", -30.f}, {700, "hysteresis_db", 0.f},
                                  {900, "hold_ms", 1.f},        {2000, "release_ms", 5.f},
                                  {2100, "range_db", -20.f},    {2500, "attack_ms", 5.f},
                                  {5900, "range_db", -80.f}};
    for (const bool link : {true, false})
        for (const std::vector<int>& cables : {std::vector{2, 0}, std::vector{2, 1}, std::vector{2, 2}}) {
            const NodeConfig config{.channels = 2,
                                    .input_channels = cables,
                                    .options = {{"link", link}},
                                    .params = {{"hold_ms", 5.f}, {"release_ms", 20.f}}};
            CHECK(broken_promise(Gate::type(), config, in, moves) == "");
            CHECK(not_finite(Gate::type(), config, in) == "");
        }
}

}  // namespace gainstage::test::gate_test
