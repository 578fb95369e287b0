#include "runtime/io/chirp.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/io/round_trip.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::chirp_test {

namespace {

constexpr double rate_hz = 48'000.;
constexpr int finer = 8;

/// The chirp that begins `eighths` of a sample after sample `whole`, in a second of silence. Sampled eight
/// times as finely it is the same sound, for it ends at 18 kHz.
std::vector<float> delayed(int whole, int eighths, float amplitude) {
    const std::vector<float> fine = make_chirp(finer * rate_hz);
    std::vector<float> heard(48'000);
    for (int k = 0; whole + k < static_cast<int>(heard.size()); ++k) {
        const int at = k * finer - eighths;
        if (at >= 0 && at < static_cast<int>(fine.size()))
            heard[static_cast<std::size_t>(whole + k)] = amplitude * fine[static_cast<std::size_t>(at)];
    }
    return heard;
}

}  // namespace

TEST_CASE("chirp: found to a twentieth of a sample, soft, in noise and with either polarity") {
    const std::vector<float> chirp = make_chirp(rate_hz);
    const int whole = GENERATE(0, 1, 64, 12'345);
    const int eighths = GENERATE(0, 1, 3, 4, 7);
    const float amplitude = GENERATE(1.f, -0.01f);
    std::vector<float> heard = delayed(whole, eighths, amplitude);
    SECTION("alone") {}
    SECTION("20 dB above noise") {
        // The chirp's own rms is 3 dB below its amplitude.
        const std::vector<float> hiss =
            white_noise(48'000, 1, 0.0707f * std::abs(amplitude) * std::sqrt(3.f));
        for (std::size_t k = 0; k < heard.size(); ++k) heard[k] += hiss[k];
    }
    const auto found = find_chirp(chirp, heard);
    CAPTURE(whole, eighths, amplitude);
    REQUIRE(found);
    CHECK(std::abs(found->at_samples - (whole + eighths / double{finer})) < 0.05);
    CHECK(found->amplitude == Approx(std::abs(amplitude)).epsilon(0.05));
    CHECK(found->inverted == (amplitude < 0.f));
}

TEST_CASE("chirp: silence, noise and hum hold none") {
    const std::vector<float> chirp = make_chirp(rate_hz);
    CHECK_FALSE(find_chirp(chirp, std::vector<float>(48'000)));
    CHECK_FALSE(find_chirp(chirp, white_noise(48'000, 1, 0.5f)));
    std::vector<float> hum(48'000);
    for (std::size_t k = 0; k < hum.size(); ++k) hum[k] = 0.3f * std::sin(static_cast<float>(k) * 0.00654f);
    CHECK_FALSE(find_chirp(chirp, hum));
    CHECK_FALSE(find_chirp(chirp, {}));
    CHECK_FALSE(find_chirp({}, hum));
}

TEST_CASE("round trip: what leaves one channel comes back on another, blocks of any size later") {
    const int frames = GENERATE(16, 100, 1'024);
    RoundTrip trip(make_chirp(rate_hz), 1, 2, 2, 3, rate_hz, 0.1);
    std::vector<float> silence(1'024), cable(1'024), outs(3 * 1'024);
    const float* in[] = {silence.data(), cable.data()};
    float* out[] = {outs.data(), outs.data() + 1'024, outs.data() + 2'048};
    const AudioBlock block{.in = in, .out = out, .frames = frames};
    const auto is_silent = [&](const float* channel) {
        return std::all_of(channel, channel + frames, [](float x) { return x == 0.f; });
    };
    RoundTrip::play(&trip, block);
    CHECK(is_silent(out[2]));  // no take was begun
    trip.begin_take(0.25f);
    int blocks = 0;
    for (; !trip.is_over(); ++blocks) {
        REQUIRE(blocks < 10'000);
        RoundTrip::play(&trip, block);
        REQUIRE(is_silent(out[0]));
        REQUIRE(is_silent(out[1]));
        std::copy_n(out[2], frames, cable.begin());
    }
    const auto found = find_chirp(trip.chirp(), trip.heard());
    REQUIRE(found);
    CHECK(std::abs(found->at_samples - frames) < 0.05);  // a block is on the cable
    CHECK(found->amplitude == Approx(0.25f).epsilon(0.01));
    trip.begin_take(0.f);  // a second take hears nothing of the first
    std::fill(cable.begin(), cable.end(), 0.f);
    while (!trip.is_over()) RoundTrip::play(&trip, block);
    CHECK_FALSE(find_chirp(trip.chirp(), trip.heard()));
}

}  // namespace gainstage::test::chirp_test
