#include "nodes/effects/saturate.hpp"

#include <cmath>

#include "nodes/dsp/waveshapes.hpp"
#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::saturate_test {

namespace {

constexpr double rate_hz = 48'000.;
const std::vector<std::string> shapes{"tanh", "soft_clip", "hard_clip", "asymmetric", "fold"};

NodeConfig config(const std::string& shape, std::vector<std::pair<std::string, float>> params = {}) {
    return {.options = {{"shape", shape}}, .params = std::move(params)};
}

double value(const std::string& shape, double x) {
    if (shape == "tanh") return TanhShape::value(x);
    if (shape == "soft_clip") return CubicShape::value(x);
    if (shape == "hard_clip") return HardClipShape::value(x);
    if (shape == "asymmetric") return AsymmetricShape::value(x);
    return FoldShape::value(x);
}

/// The curve applied sample by sample, without antialiasing.
Channel naive(const std::string& shape, Channel in, double drive_db) {
    const double drive = std::pow(10., drive_db / 20.);
    for (float& x : in) x = static_cast<float>(value(shape, drive * x));
    return in;
}

/// Level of everything below `top_hz` that is not a multiple of `hz`. REQUIRES: 4800 samples, `hz` on a 10 Hz
/// grid.
double aliases_db(Samples samples, double hz, double top_hz) {
    double power = 0.;
    for (double f = 10.; f < top_hz; f += 10.)
        if (std::fmod(f, hz) != 0.) power += std::norm(component(samples, f, rate_hz));
    return to_db(std::sqrt(power));
}

template <class Shape>
double worst_slope_error() {
    double worst = 0.;
    for (double x = -6.; x < 6.; x += 0.0137) {
        const double slope = (Shape::integral(x + 1e-4) - Shape::integral(x - 1e-4)) / 2e-4;
        worst = std::max(worst, std::abs(slope - Shape::value(x)));
    }
    return worst;
}

}  // namespace

TEST_CASE("saturate: every antiderivative is that of its curve") {
    // Central differences over 1e-4: 1e-8 of curvature where smooth, 5e-5 across a corner.
    CHECK(worst_slope_error<TanhShape>() < 1e-7);
    CHECK(worst_slope_error<CubicShape>() < 1e-4);
    CHECK(worst_slope_error<HardClipShape>() < 1e-4);
    CHECK(worst_slope_error<AsymmetricShape>() < 1e-4);
    CHECK(worst_slope_error<FoldShape>() < 1e-7);
    CHECK(TanhShape::integral(4000.) == Approx(4000. - std::log(2.)));
}

TEST_CASE("saturate: a slow sound follows the curve") {
    // At 200 Hz half a sample is 0.013 rad. Averaging over it costs 0.001 dB at the tenth harmonic, the DC
    // block (5 Hz) 0.003 dB at the first. The aliases of the bare curve are below both.
    for (const std::string& shape : shapes) {
        const Channel in = sine(96'000, 200., rate_hz, 0.5);
        const Channel out = NodeRunner(Saturate::type(), config(shape)).run(mono(in))[0];
        const Distortion got = distortion(part(out, 48'000), 200., rate_hz);
        const Channel expected = naive(shape, in, 12.);
        const Distortion theory = distortion(part(expected, 48'000), 200., rate_hz);
        INFO(shape);
        CHECK(got.fundamental_db == Approx(theory.fundamental_db).margin(0.02));
        CHECK(got.harmonics_db == Approx(theory.harmonics_db).margin(0.05));
    }
}

TEST_CASE(
    "saturate: aliases below 5 kHz, where one hears them, are at least 20 dB below those of the bare curve") {
    // A loud 2.49 kHz tone; the harmonics from the tenth on fold back. First-order antialiasing removes most
    // of those that land low, and none of those just below half the rate, which the treble correction lifts.
    for (const std::string shape : {"tanh", "soft_clip", "hard_clip", "asymmetric"}) {
        const Channel in = sine(52'800, 2490., rate_hz, 0.9);
        NodeRunner saturate(Saturate::type(), config(shape, {{"drive_db", 24.f}}));
        const Channel out = saturate.run(mono(in))[0], bare = naive(shape, in, 24.);
        const double with = aliases_db(part(out, 48'000), 2490., 5000.);
        const double without = aliases_db(part(bare, 48'000), 2490., 5000.);
        INFO(shape << ": " << with << " dB against " << without);
        CHECK(with < without - 20.);
        CHECK(aliases_db(part(out, 48'000), 2490., 16'000.) < aliases_db(part(bare, 48'000), 2490., 16'000.));
    }
}

TEST_CASE("saturate: below the bend the wet path is flat and aligned with the dry one") {
    for (const double hz : {50., 1000., 5000., 10'000., 15'000., 19'000.}) {
        const Channel in = sine(96'000, hz, rate_hz, 1e-3);
        const Channel out =
            NodeRunner(Saturate::type(), config("tanh", {{"drive_db", 0.f}})).run(mono(in))[0];
        const auto turn =
            component(part(out, 48'000), hz, rate_hz) / component(part(in, 48'000), hz, rate_hz);
        INFO(hz << " Hz");
        CHECK(to_db(std::abs(turn)) == Approx(0.).margin(hz < 12'000. ? 0.1 : 1.));
        CHECK(std::abs(std::arg(turn)) * 57.3 <
              (hz > 100. && hz <= 10'000. ? 5. : 19.));  // 50 Hz: the DC block
    }
}

TEST_CASE("saturate: a half mix of a soft sound is the sound itself, without a comb") {
    for (const double hz : {100., 1000., 8000., 15'000.}) {
        const Channel in = sine(96'000, hz, rate_hz, 1e-3);
        const Channel out =
            NodeRunner(Saturate::type(), config("tanh", {{"drive_db", 0.f}, {"mix_percent", 50.f}}))
                .run(mono(in))[0];
        CHECK(gain_db_at(part(in, 48'000), part(out, 48'000), hz, rate_hz) == Approx(0.).margin(0.2));
    }
}

TEST_CASE("saturate: mix 0 changes no bit, and output_db is a gain") {
    const Channel noise = white_noise(4800, 1);
    for (const std::string& shape : shapes) {
        NodeRunner dry(Saturate::type(), config(shape, {{"mix_percent", 0.f}, {"bias", 0.3f}}));
        CHECK(bit_difference(dry.run(mono(noise)), mono(noise)).empty());
    }
    NodeRunner softer(Saturate::type(), config("tanh", {{"mix_percent", 0.f}, {"output_db", -12.f}}));
    CHECK(rms_db(softer.run(mono(noise))[0]) == Approx(rms_db(noise) - 12.).margin(0.001));
}

TEST_CASE("saturate: silence stays silent at any bias, and the bias leaves no DC") {
    for (const std::string& shape : shapes)
        for (const float bias : {-1.f, -0.2f, 0.7f}) {
            INFO(shape << ", bias " << bias);
            NodeRunner saturate(Saturate::type(), config(shape, {{"bias", bias}, {"drive_db", 24.f}}));
            CHECK(peak(saturate.run(mono(silence(1000)))[0]) == 0.);
            // A tone of whole periods: after 2 s the DC block has settled to e^-63.
            const Channel out = saturate.run(mono(sine(144'000, 200., rate_hz, 0.5)))[0];
            CHECK(std::abs(mean(part(out, 96'000))) < 1e-5);
        }
}

TEST_CASE("saturate: turning the bias makes no thump") {
    NodeRunner saturate(Saturate::type(), config("tanh"));
    const Channel out = saturate.run(mono(silence(9600)), {}, {{100, "bias", 1.f}, {5000, "bias", -1.f}})[0];
    CHECK(peak_db(out) < -100.);
}

TEST_CASE("saturate: bias brings even harmonics to a symmetric curve") {
    const auto second_db = [](float bias) {
        NodeRunner saturate(Saturate::type(), config("tanh", {{"bias", bias}, {"drive_db", 0.f}}));
        const Channel out = saturate.run(mono(sine(96'000, 200., rate_hz, 0.5)))[0];
        return to_db(std::abs(component(part(out, 48'000), 400., rate_hz)));
    };
    CHECK(second_db(0.f) < -120.);
    // tanh(b + x) = ... + tanh''(b)/2 x^2: for b = 0.3, x = 0.5 cos: 0.5 * 0.535 * 0.5^2 / 2 = -29.5 dB, and
    // less by the fourth-order term
    CHECK(second_db(0.3f) == Approx(-30.).margin(1.5));
}

TEST_CASE("saturate: turning its knobs makes no zipper noise") {
    // 4 of the 64 leave room for the curve that bends the ramp
    for (const auto& [knob, low, high] :
         {std::tuple{"drive_db", 0.f, 12.f}, std::tuple{"mix_percent", 20.f, 80.f},
          std::tuple{"output_db", -6.f, 0.f}, std::tuple{"bias", 0.f, 0.5f}}) {
        INFO(knob);
        CHECK(staircase_left(Saturate::type(), {}, knob, low, high) < 4. / 64.);
    }
}

TEST_CASE("saturate: keeps the promises of a node in every shape") {
    const Ports in{stereo(white_noise(3000, 1), sine(3000, 440., rate_hz, 0.8))};
    const std::vector<Move> moves{{100, "drive_db", 40.f},    {700, "bias", 0.7f},
                                  {710, "bias", -0.2f, 0.f},  {1500, "mix_percent", 50.f},
                                  {2100, "output_db", -20.f}, {2900, "drive_db", 0.f, 50.f}};
    for (const std::string& shape : shapes) {
        NodeConfig two = config(shape);
        two.channels = 2;
        INFO(shape);
        CHECK(broken_promise(Saturate::type(), two, in, moves) == "");
        CHECK(not_finite(Saturate::type(), two, in) == "");
    }
}

}  // namespace gainstage::test::saturate_test
