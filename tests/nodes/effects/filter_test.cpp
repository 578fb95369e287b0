#include "nodes/effects/filter.hpp"

#include <cmath>
#include <numbers>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::filter_test {

namespace {

struct Knobs {
    std::string mode;
    float cutoff_hz = 1000.f, q = 0.7071f, gain_db = 0.f;
    double rate_hz = 48'000.;
};

NodeConfig config(const Knobs& knobs) {
    return {.sample_rate_hz = knobs.rate_hz,
            .options = {{"mode", knobs.mode}},
            .params = {{"cutoff_hz", knobs.cutoff_hz}, {"q", knobs.q}, {"gain_db", knobs.gain_db}}};
}

/// Settled gain for a sine.
double gain_at(const Knobs& knobs, double hz) {
    const int settle = static_cast<int>(knobs.rate_hz), measured = static_cast<int>(knobs.rate_hz / 2.);
    const Channel in = sine(settle + measured, hz, knobs.rate_hz, 0.5);
    const Channel out = NodeRunner(Filter::type(), config(knobs)).run(mono(in))[0];
    return gain_db_at(part(in, settle), part(out, settle), hz, knobs.rate_hz);
}

/// Settled gain for a constant.
double gain_at_dc(const Knobs& knobs) {
    const Channel out = NodeRunner(Filter::type(), config(knobs)).run(mono(constant(48'000, 0.5f)))[0];
    return to_db(out.back() / 0.5);
}

/// Settled gain for +1 -1 +1 -1.
double gain_at_nyquist(const Knobs& knobs) {
    Channel in(48'000);
    for (std::size_t k = 0; k < in.size(); ++k) in[k] = k % 2 ? -0.5f : 0.5f;
    const Channel out = NodeRunner(Filter::type(), config(knobs)).run(mono(in))[0];
    return to_db(std::abs(out.back()) / 0.5);
}

/// |H| of the analogue prototype at the frequency that the trapezoidal rule maps `hz` to, in dB.
double theory_db(const Knobs& knobs, double hz) {
    using Complex = std::complex<double>;
    const auto warped = [&](double f) { return std::tan(std::numbers::pi * f / knobs.rate_hz); };
    const Complex s(0., warped(hz) / warped(knobs.cutoff_hz));
    const double a = std::pow(10., knobs.gain_db / 40.), q = knobs.q;
    const Complex plain = s * s + s / q + 1.;
    Complex h;
    if (knobs.mode == "lowpass") h = a * a / plain;
    if (knobs.mode == "highpass") h = a * a * s * s / plain;
    if (knobs.mode == "bandpass") h = a * a * (s / q) / plain;
    if (knobs.mode == "notch") h = a * a * (s * s + 1.) / plain;
    if (knobs.mode == "bell") h = (s * s + s * a / q + 1.) / (s * s + s / (a * q) + 1.);
    if (knobs.mode == "lowshelf")
        h = a * (s * s + std::sqrt(a) / q * s + a) / (a * s * s + std::sqrt(a) / q * s + 1.);
    if (knobs.mode == "highshelf")
        h = a * (a * s * s + std::sqrt(a) / q * s + 1.) / (s * s + std::sqrt(a) / q * s + a);
    return to_db(std::abs(h));
}

}  // namespace

// Float samples and a least-squares fit over thousands of periods: errors stay below 0.001 dB where the
// filter passes. 0.01 dB leaves room for the deep parts of the curves.
constexpr double tolerance_db = 0.01;

TEST_CASE("filter: the response is the analogue prototype's, in every mode, at any rate") {
    for (const char* mode : {"lowpass", "highpass", "bandpass", "notch", "lowshelf", "highshelf", "bell"})
        for (const double rate_hz : {44'100., 96'000.})
            for (const auto& [q, gain_db] : {std::pair{0.7071f, 9.f}, std::pair{4.f, -12.f}})
                for (const double hz : {50., 400., 900., 1300., 5000., 16'000.}) {
                    const Knobs knobs{mode, 1000.f, q, gain_db, rate_hz};
                    INFO(mode << " at " << hz << " Hz, q " << q << ", rate " << rate_hz);
                    CHECK(gain_at(knobs, hz) == Approx(theory_db(knobs, hz)).margin(tolerance_db));
                }
}

TEST_CASE("filter: lowpass and highpass are 3 dB down at the cutoff and fall 12 dB per octave") {
    CHECK(gain_at({"lowpass"}, 1000.) == Approx(-3.01).margin(tolerance_db));
    CHECK(gain_at({"highpass"}, 1000.) == Approx(-3.01).margin(tolerance_db));
    // far below half the rate, where the trapezoidal rule does not steepen the slope yet
    const Knobs low{"lowpass", 50.f}, high{"highpass", 2000.f};
    CHECK(gain_at(low, 1000.) - gain_at(low, 500.) == Approx(-12.04).margin(0.05));
    CHECK(gain_at(high, 100.) - gain_at(high, 50.) == Approx(12.04).margin(0.05));
}

TEST_CASE("filter: q is the height of the peak") {
    for (const float q : {0.5f, 2.f, 20.f}) {
        CHECK(gain_at({"lowpass", 1000.f, q}, 1000.) == Approx(to_db(q)).margin(tolerance_db));
        CHECK(gain_at({"bandpass", 1000.f, q}, 1000.) == Approx(0.).margin(tolerance_db));
    }
}

TEST_CASE("filter: shelves and bell have their gain where they should, and none elsewhere") {
    for (const float gain_db : {-24.f, -6.f, 12.f, 24.f}) {
        const Knobs low{"lowshelf", 300.f, 0.7071f, gain_db}, high{"highshelf", 3000.f, 0.7071f, gain_db},
            bell{"bell", 1000.f, 2.f, gain_db};
        CHECK(gain_at_dc(low) == Approx(gain_db).margin(tolerance_db));
        CHECK(gain_at_nyquist(low) == Approx(0.).margin(tolerance_db));
        CHECK(gain_at(low, 300.) == Approx(gain_db / 2.).margin(tolerance_db));
        CHECK(gain_at_dc(high) == Approx(0.).margin(tolerance_db));
        CHECK(gain_at_nyquist(high) == Approx(gain_db).margin(tolerance_db));
        CHECK(gain_at(high, 3000.) == Approx(gain_db / 2.).margin(tolerance_db));
        CHECK(gain_at(bell, 1000.) == Approx(gain_db).margin(tolerance_db));
        CHECK(gain_at_dc(bell) == Approx(0.).margin(tolerance_db));
        CHECK(gain_at_nyquist(bell) == Approx(0.).margin(tolerance_db));
    }
}

TEST_CASE("filter: 10 Hz at 192 kHz is as exact as 1 kHz") {
    const Knobs knobs{"lowpass", 10.f, 0.7071f, 0.f, 192'000.};
    CHECK(gain_at(knobs, 10.) == Approx(-3.01).margin(tolerance_db));
    CHECK(gain_at(knobs, 20.) == Approx(theory_db(knobs, 20.)).margin(tolerance_db));
}

TEST_CASE("filter: a cutoff beyond half of a low rate acts as 0.49 of it") {
    const Channel noise = white_noise(2000, 1);
    NodeRunner beyond(Filter::type(), config({"lowpass", 20'000.f, 0.7071f, 0.f, 16'000.}));
    NodeRunner limit(Filter::type(), config({"lowpass", 7'840.f, 0.7071f, 0.f, 16'000.}));
    CHECK(max_difference(beyond.run(mono(noise))[0], limit.run(mono(noise))[0]) <
          1e-6);  // 7840 / 16000 in float
}

TEST_CASE("filter: the cutoff moves evenly on a logarithmic scale, and a second move starts where it is") {
    // A bandpass of q 20 has 0 dB at its centre, so the tone is loudest when the centre passes it: halfway
    // from 100 Hz to 10 kHz is 1 kHz. The filter rings for 2 q / (2 pi f) = 6 ms afterwards, so the sweep is
    // slow.
    const int sweep = 4 * 48'000;
    const Channel tone = sine(sweep + 1, 1000., 48'000., 0.5);
    NodeRunner filter(Filter::type(), config({"bandpass", 100.f, 20.f}));
    const Channel out = filter.run(mono(tone), {}, {{0, "cutoff_hz", 10'000.f, 4000.f}})[0];
    int loudest = 0;
    for (int k = 0; k + 480 < sweep; k += 48)
        if (rms(part(out, k, k + 480)) > rms(part(out, loudest, loudest + 480))) loudest = k;
    CHECK(loudest / 48'000. == Approx(2.).margin(0.03));  // 30 ms of 4 s: an eighth of a semitone... of 80
}

TEST_CASE("filter: turning its knobs makes no zipper noise") {
    // 4 of the 64 leave room for a move that is straight on a logarithmic scale, so steeper in hertz at its
    // end. (The cutoff of a lowpass is not in the list: its states smooth even a jump.)
    for (const auto& [mode, knob, low, high] :
         {std::tuple{"lowpass", "gain_db", -6.f, 0.f}, std::tuple{"bell", "gain_db", 0.f, 12.f},
          std::tuple{"highpass", "q", 0.7f, 2.f}, std::tuple{"highshelf", "cutoff_hz", 50.f, 200.f}}) {
        NodeConfig base = config({mode, 100.f, 1.f, 6.f});
        base.params.erase(std::find_if(base.params.begin(), base.params.end(),
                                       [&, name = knob](const auto& entry) { return entry.first == name; }));
        INFO(mode << ", " << knob);
        CHECK(staircase_left(Filter::type(), base, knob, low, high) < 4. / 64.);
    }
}

TEST_CASE("filter: left and right are filtered alike and independently") {
    NodeConfig two = config({"highpass", 200.f});
    two.channels = 2;
    const Channel left = white_noise(1000, 1), right = white_noise(1000, 2);
    const Sound out = NodeRunner(Filter::type(), two).run(stereo(left, right));
    CHECK(
        bit_difference(mono(out[0]), NodeRunner(Filter::type(), config({"highpass", 200.f})).run(mono(left)))
            .empty());
    CHECK(
        bit_difference(mono(out[1]), NodeRunner(Filter::type(), config({"highpass", 200.f})).run(mono(right)))
            .empty());
}

TEST_CASE("filter: keeps the promises of a node in every mode") {
    const Ports noise{stereo(white_noise(3000, 1), white_noise(3000, 2))};
    const std::vector<Move> moves{{100, "cutoff_hz", 5000.f},
                                  {700, "cutoff_hz", 50.f},
                                  {710, "q", 10.f, 0.f},
                                  {1500, "gain_db", -9.f},
                                  {2900, "cutoff_hz", 900.f, 50.f}};
    for (const char* mode : {"lowpass", "highpass", "bandpass", "notch", "lowshelf", "highshelf", "bell"}) {
        NodeConfig two = config({mode, 700.f, 2.f, 6.f});
        two.channels = 2;
        INFO(mode);
        CHECK(broken_promise(Filter::type(), two, noise, moves) == "");
        CHECK(not_finite(Filter::type(), two, noise) == "");
    }
}

TEST_CASE("filter: its memory has decayed to -80 dB after memory_samples") {
    for (const Knobs& knobs : {Knobs{"lowpass", 20.f, 8.f}, Knobs{"bell", 30.f, 5.f, 20.f},
                               Knobs{"highpass", 20.f, 0.2f}, Knobs{"lowshelf", 20.f, 2.f, 24.f}}) {
        NodeRunner filter(Filter::type(), config(knobs));
        const auto memory = static_cast<int>(filter.node().memory_samples());
        filter.run(mono(sine(96'000, knobs.cutoff_hz, 48'000., 1.)));
        const Channel tail = filter.run(mono(silence(memory + 4800)))[0];
        INFO(knobs.mode << ", " << memory << " samples");
        CHECK(peak_db(part(tail, memory)) < -80. + 26.);  // it rang at up to 20 times (26 dB) the input
        CHECK(memory <= 480'000);
    }
}

}  // namespace gainstage::test::filter_test
