#include "nodes/effects/limiter.hpp"

#include <cmath>
#include <limits>
#include <numbers>

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::limiter_test {

namespace {

constexpr double rate_hz = 48'000.;

NodeConfig config(std::vector<std::pair<std::string, float>> params = {},
                  std::vector<std::pair<std::string, OptionValue>> options = {}) {
    return {.options = std::move(options), .params = std::move(params)};
}

Channel limited(const Channel& in, const NodeConfig& with = {}) {
    return NodeRunner(Limiter::type(), with).run(mono(in))[0];
}

/// Windowed sinc around `centre` samples, cut off at `cutoff` (0.5: half the rate), 2 * half + 1 wide.
double sinc(double t, double cutoff, int half) {
    const double edge = t / (half + 1.), angle = 2. * std::numbers::pi * cutoff * t;
    const double window = 0.42 + 0.5 * std::cos(std::numbers::pi * edge) +  // Blackman
                          0.08 * std::cos(2. * std::numbers::pi * edge);
    return 2. * cutoff * window * (t == 0. ? 1. : std::sin(angle) / angle);
}

/// A detector that is independent of the limiter's own: sixteen points a sample, each from 128 neighbours.
double true_peak_db(const Channel& x) {
    constexpr int points = 16, half = 64;
    double highest = peak(x);
    for (int p = 1; p < points; ++p) {
        std::vector<double> h;
        for (int j = -half; j < half; ++j)
            h.push_back(sinc(j + 1. - static_cast<double>(p) / points, 0.5, half));
        for (std::size_t k = 0; k + 2 * half < x.size(); ++k) {
            double sum = 0.;
            for (std::size_t j = 0; j < h.size(); ++j) sum += h[j] * x[k + j];
            highest = std::max(highest, std::abs(sum));
        }
    }
    return to_db(highest);
}

/// The sound without anything above `cutoff` times the sample rate.
Channel band_limited(const Channel& x, double cutoff) {
    constexpr int half = 150;
    Channel out(x.size());
    for (int k = 0; k < static_cast<int>(x.size()); ++k) {
        double sum = 0.;
        for (int j = std::max(-half, k + 1 - static_cast<int>(x.size())); j <= std::min(half, k); ++j)
            sum += sinc(j, cutoff, half) * x[k - j];
        out[k] = static_cast<float>(sum);
    }
    return out;
}

/// The loudest and hardest inputs to expect.
std::vector<Channel> hard_sounds() {
    Channel clicks = silence(9600);
    for (std::size_t k = 100; k < clicks.size(); k += 517) clicks[k] = k % 2 ? 4.f : -30.f;
    return {white_noise(9600, 1, 2.f),
            white_noise(9600, 2, 100.f),
            square(9600, 997., rate_hz, 3.f),
            bursts(9600, 997., rate_hz, 0.01, 0.03, 3., 0.01),
            clicks,
            constant(9600, 1e30f)};
}

}  // namespace

TEST_CASE("limiter: no sample is ever above the ceiling, not by one bit") {
    for (const float ceiling_dbfs : {0.f, -1.f, -3.3f, -40.f})
        for (const float release_ms : {1.f, 80.f})
            for (const bool true_peak : {true, false})
                for (const Channel& sound : hard_sounds()) {
                    const Channel out =
                        limited(sound, config({{"ceiling_dbfs", ceiling_dbfs}, {"release_ms", release_ms}},
                                              {{"true_peak", true_peak}}));
                    CHECK(peak(out) <= std::pow(10., ceiling_dbfs / 20.));
                }
}

TEST_CASE("limiter: it does not limit by clipping") {
    // The final clamp only takes off rounding: a sine limited by 6 dB keeps its shape. At 997 Hz the gain
    // recovers between the peaks by 0.5 ms of 80 ms at most: below -50 dB of distortion.
    const double hz = whole_periods_hz(997., 48'000, rate_hz);
    const Channel out = limited(sine(96'000, hz, rate_hz, 1.7783));  // +5 dB
    const Distortion tone = distortion(part(out, 48'000), hz, rate_hz);
    CHECK(tone.fundamental_db == Approx(-1.).margin(0.05));
    CHECK(tone.harmonics_db < -50.);
}

TEST_CASE(
    "limiter: the worst case of sampled peaks, a quarter of the rate at 45 degrees, is caught between the "
    "samples") {
    // Its samples are 3.01 dB below its peaks.
    const Channel tone = sine(9600, rate_hz / 4., rate_hz, 1.4, std::numbers::pi / 4.);
    CHECK(true_peak_db(limited(tone)) == Approx(-1.).margin(0.05));
    CHECK(true_peak_db(limited(tone, config({}, {{"true_peak", false}}))) >
          -0.1);  // samples reach -1 - 3.01 + 2.92
    const Channel soft = sine(9600, rate_hz / 4., rate_hz, 0.88, std::numbers::pi / 4.);  // peaks at -1.11 dB
    NodeRunner idle(Limiter::type());
    const int late = idle.node().latency_samples();
    CHECK(bit_difference(cut(idle.run(mono(soft)), late + 100), cut(mono(soft), 100, 9600 - late)).empty());
}

TEST_CASE("limiter: the true peak stays within 0.1 dB of the ceiling below 0.45 of the rate") {
    // A parabola over four points a sample can miss 0.08 dB of a tone near half the rate.
    for (const float release_ms : {1.f, 80.f}) {
        const NodeConfig with = config({{"release_ms", release_ms}});
        for (const double cutoff : {0.25, 0.4, 0.44})
            CHECK(true_peak_db(limited(band_limited(white_noise(9600, 1, 4.f), cutoff), with)) < -0.9);
        CHECK(true_peak_db(limited(bursts(9600, 997., rate_hz, 0.01, 0.03, 3., 0.01), with)) < -0.9);
        CHECK(true_peak_db(limited(band_limited(square(9600, 1000., rate_hz, 2.f), 0.42), with)) < -0.9);
    }
    for (const double of_rate : {0.1, 0.3, 0.36, 0.4, 0.43, 0.45})
        for (const double phase : {0., 0.5, 1.}) {
            const Channel out = limited(sine(4800, of_rate * rate_hz, rate_hz, 1.4, phase));
            CHECK(true_peak_db(Channel(out.begin() + 300, out.end())) <
                  -0.9);  // without the click at its start
        }
}

TEST_CASE("limiter: below the ceiling the input comes out latency_samples later, bit for bit") {
    for (const bool true_peak : {true, false})
        for (const double lookahead_ms : {0.1, 1.5, 20.}) {
            NodeRunner limiter(Limiter::type(),
                               config({}, {{"true_peak", true_peak}, {"lookahead_ms", lookahead_ms}}));
            const int late = limiter.node().latency_samples();
            CHECK(late == std::lround(lookahead_ms * 48.) + (true_peak ? 13 : 0));
            const Sound in = mono(white_noise(9600, 1, 0.4f));
            const Sound out = limiter.run(in);
            CHECK(peak(part(out[0], 0, late)) == 0.);
            CHECK(bit_difference(cut(out, late), cut(in, 0, 9600 - late)).empty());
        }
}

TEST_CASE("limiter: after a peak it again changes no bit") {
    NodeRunner limiter(Limiter::type(), config({{"release_ms", 20.f}}));
    limiter.run(mono(white_noise(4800, 1, 10.f)));
    limiter.run(mono(silence(24'000)));  // 25 time constants; fully open from -120 dB on, after 14
    const int late = limiter.node().latency_samples();
    const Sound in = mono(white_noise(9600, 1, 0.4f)), out = limiter.run(in);
    CHECK(bit_difference(cut(out, late), cut(in, 0, 9600 - late)).empty());
}

TEST_CASE("limiter: the gain falls within the look-ahead and is there when the peak comes") {
    // The input is a constant that doubles: the gain before, at and after the step is out / in.
    NodeRunner limiter(Limiter::type(),
                       config({{"ceiling_dbfs", 0.f}}, {{"lookahead_ms", 10.}, {"true_peak", false}}));
    Channel in = constant(4800, 0.9f);
    in.resize(9600, 1.8f);
    const Channel out = limiter.run(mono(in))[0];
    const int step = 4800 + 480;  // at the output
    CHECK(out[step] == Approx(1.).margin(1e-6));
    CHECK(out[step - 1] == Approx(0.5).margin(0.001));  // 0.9 times 1 / 1.8
    CHECK(out[step - 240] == Approx(0.9 * (1. + 1. / 1.8) / 2.).margin(0.005));
    CHECK(out[step - 481] == 0.9f);
    // An S over 480 samples of height 0.4: neighbouring samples differ by at most 0.4 / 240.
    for (int k = step - 481; k < step - 1; ++k) REQUIRE(std::abs(out[k + 1] - out[k]) < 1.01 * 0.4 / 240.);
}

TEST_CASE("limiter: the release reaches 63 % in its time") {
    NodeRunner limiter(Limiter::type(),
                       config({{"ceiling_dbfs", 0.f}, {"release_ms", 100.f}}, {{"true_peak", false}}));
    Channel in = constant(9600, 2.f);
    in.resize(48'000, 0.5f);
    const Channel out = limiter.run(mono(in))[0];
    const int late = limiter.node().latency_samples();
    const Samples after = part(out, 9600 + late);
    std::size_t at_63 = 0;
    while (at_63 + 1 < after.size() && after[at_63] < 0.5 * (1. - 0.5 * std::exp(-1.))) ++at_63;
    // The averages lag by half the look-ahead: 0.75 of 100 ms.
    CHECK(at_63 == Approx(4800 + 36).epsilon(0.01));
}

TEST_CASE("limiter: lets no NaN or infinity through, and recovers at once") {
    NodeRunner limiter(Limiter::type()), clean(Limiter::type());
    const float infinity = std::numeric_limits<float>::infinity();
    Channel spoiled = white_noise(4800, 1, 0.3f), muted = spoiled;
    for (std::size_t k = 50; k < spoiled.size(); k += 100) {
        spoiled[k] = k % 200 == 50 ? std::numeric_limits<float>::quiet_NaN() : -infinity;
        muted[k] = 0.f;
    }
    CHECK(bit_difference(limiter.run(mono(spoiled)), clean.run(mono(muted))).empty());
}

TEST_CASE("limiter: a moving ceiling is kept at every sample") {
    NodeRunner limiter(Limiter::type());
    const Channel in = sine(9600, 997., rate_hz, 3.);
    const Channel out =
        limiter.run(mono(in), {}, {{2000, "ceiling_dbfs", -20.f}, {6000, "ceiling_dbfs", -3.f, 0.f}})[0];
    const Ramp down{.start = 2000, .length = 960, .from = -1.f, .to = -20.f};
    for (std::size_t k = 0; k < 6000; ++k)
        REQUIRE(std::abs(out[k]) <= std::pow(10., static_cast<double>(down.at(k)) / 20.));
    CHECK(peak_db(part(out, 2960, 6000)) > -21.);
    CHECK(peak_db(part(out, 6100)) > -4.);
}

TEST_CASE("limiter: a falling ceiling does not clip peaks that it saw in time") {
    // A tone is held at the ceiling while the ceiling falls 6 dB in 20 ms. Clipped, it would have corners.
    // The project's bound for clicks is 1.1 times the steady second difference; the slope of the fall adds
    // its own corners, 0.25 %.
    const Channel tone = sine(24'000, 997., rate_hz, 1.5);
    NodeRunner limiter(Limiter::type());
    const Channel out = limiter.run(mono(tone), {}, {{12'000, "ceiling_dbfs", -7.f, 20.f}})[0];
    CHECK(max_second_difference(part(out, 12'100)) < 1.1 * max_second_difference(part(out, 6000, 11'000)));
}

TEST_CASE("limiter: linked, the louder channel turns down both; unlinked, each turns down itself") {
    const Sound in = stereo(constant(4800, 2.f), constant(4800, -0.25f));
    NodeConfig two = config({{"ceiling_dbfs", 0.f}});
    two.channels = 2;
    const Sound linked = NodeRunner(Limiter::type(), two).run(in);
    CHECK(linked[0].back() == Approx(1.).margin(1e-5));
    CHECK(linked[1].back() == Approx(-0.125).margin(1e-5));
    two.options = {{"link", false}};
    const Sound apart = NodeRunner(Limiter::type(), two).run(in);
    CHECK(apart[0].back() == Approx(1.).margin(1e-5));
    CHECK(apart[1].back() == -0.25f);
}

TEST_CASE("limiter: reports its gain reduction") {
    NodeRunner limiter(Limiter::type());
    limiter.run(mono(constant(4800, 0.5f)));
    CHECK(limiter.reading("gain_reduction_db") == 0.f);
    limiter.run(mono(constant(4800, 2.f)));
    CHECK(limiter.reading("gain_reduction_db") == Approx(7.02).margin(0.01));
}

TEST_CASE("limiter: keeps the promises of a node") {
    const Ports in{stereo(bursts(6000, 300., rate_hz, 0.02, 0.03, 2., 0.1), white_noise(6000, 1, 2.f))};
    const std::vector<Move> moves{{100, "ceiling_dbfs", -20.f},
                                  {1500, "ceiling_dbfs", -3.f},
                                  {1700, "release_ms", 5.f},
                                  {2500, "ceiling_dbfs", -9.f, 0.f},
                                  {5900, "ceiling_dbfs", -1.f}};
    for (const bool link : {true, false})
        for (const bool true_peak : {true, false})
            for (const double lookahead_ms : {0.1, 1.5, 20.}) {
                NodeConfig two =
                    config({{"release_ms", 20.f}},
                           {{"link", link}, {"true_peak", true_peak}, {"lookahead_ms", lookahead_ms}});
                two.channels = 2;
                CHECK(broken_promise(Limiter::type(), two, in, moves) == "");
                CHECK(not_finite(Limiter::type(), two, in) == "");
            }
}

}  // namespace gainstage::test::limiter_test
