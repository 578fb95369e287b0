#include "nodes/effects/output.hpp"

#include <cmath>
#include <limits>

#include "runtime/output_watch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::output_test {

namespace {

/// What each of the device's four channels gets.
Sound played(std::vector<int> channels, const Sound& sound) {
    NodeRunner output(Output::type(), {.channels = static_cast<int>(sound.size()),
                                       .options = {{"channels", std::move(channels)}}});
    output.run(Ports{sound}, Partition::random(3, 50));
    return output.device_out();
}

const Channel left = white_noise(200, 1), right = white_noise(200, 2), none = silence(200);

}  // namespace

TEST_CASE("output: channels are counted from 1, and fed in the order written") {
    CHECK(bit_difference(played({4, 2}, stereo(left, right)), {none, right, none, left}).empty());
}

TEST_CASE("output: mono into two channels feeds both") {
    CHECK(bit_difference(played({1, 2}, mono(left)), {left, left, none, none}).empty());
}

TEST_CASE("output: a channel that the device lacks is left out") {
    CHECK(bit_difference(played({1, 9}, stereo(left, right)), {left, none, none, none}).empty());
}

TEST_CASE("output: adds to what the device channel already holds") {
    // the same device channel twice: both feeds are added
    CHECK(bit_difference(played({3, 3}, stereo(constant(200, 0.25f), constant(200, 0.5f))),
                         {none, none, constant(200, 0.75f), none})
              .empty());
}

// ------------------------ the guard

namespace {

constexpr int tenth = 4'800;  ///< frames of 100 ms

NodeRunner stereo_output(const std::string& guard = "clip_safe") {
    return NodeRunner(Output::type(),
                      {.channels = 2, .options = {{"channels", std::vector<int>{1, 2}}, {"guard", guard}}});
}

Sound heard(NodeRunner& output, const Sound& sound, Partition partition = {}) {
    output.run(Ports{sound}, partition);
    return {output.device_out()[0], output.device_out()[1]};
}

/// Soft noise on both channels, with one sample of the left channel replaced.
Sound with_peak(int frames, int at, float value) {
    Sound sound = stereo(white_noise(frames, 1, 0.5f), white_noise(frames, 2, 0.5f));
    sound[0][at] = value;
    return sound;
}

}  // namespace

TEST_CASE("output: up to 0 dBFS every bit passes the guard, and nothing is reported") {
    NodeRunner output = stereo_output();
    Sound sound = with_peak(2'000, 700, 1.f);
    sound[1][900] = -1.f;
    sound[1][901] = 1e-42f;
    CHECK(bit_difference(heard(output, sound), sound) == "");
    CHECK(output.node().output_watch()->softened == 0);
    CHECK(output.node().output_watch()->since == OutputWatch::never);
}

TEST_CASE("output: a peak turns both channels down by one gain at once, and after 100 ms every bit passes") {
    NodeRunner output = stereo_output();
    constexpr int at = 1'001;
    const Sound sound = with_peak(12'000, at, -4.f), out = heard(output, sound, Partition::random(5));
    for (const Channel& channel : out) CHECK(peak(channel) <= 1.);
    CHECK(out[0][at] == -1.f);
    CHECK(bit_difference(cut(out, 0, at), cut(sound, 0, at)) == "");
    CHECK(bit_difference(cut(out, at + tenth), cut(sound, at + tenth)) == "");
    float least = 0.f;
    for (int k = at; k < at + tenth; ++k) {
        const float left_gain = out[0][k] / sound[0][k], right_gain = out[1][k] / sound[1][k];
        REQUIRE(std::abs(left_gain - right_gain) < 1e-5f);
        REQUIRE(left_gain >= least - 1e-5f);  // it falls once and rises from there
        if (k < at + tenth / 2) REQUIRE(std::abs(left_gain - 0.25f) < 1e-5f);
        least = std::max(least, left_gain);
    }
    const OutputWatch& watch = *output.node().output_watch();
    CHECK(watch.since == at);
    CHECK(watch.peak == 4.f);
    CHECK(watch.softened > tenth * 9 / 10);
    CHECK(watch.softened <= tenth);
}

TEST_CASE("output: the guard never lets a sample above 0 dBFS out, whatever comes, in blocks of any size") {
    const Sound sound = stereo(white_noise(30'000, 1, 1e4f), sine(30'000, 997., 48'000., 1.0000001));
    NodeRunner output = stereo_output();
    const Sound out = heard(output, sound);
    for (const Channel& channel : out) CHECK(peak(channel) <= 1.);
    for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(2)}) {
        NodeRunner other = stereo_output();
        CHECK(bit_difference(heard(other, sound, partition), out) == "");
    }
}

TEST_CASE("output: a steady tone that is too loud is only turned down, not bent") {
    NodeRunner output = stereo_output();
    const Channel tone = sine(48'000, 40., 48'000., 2.);
    const Sound out = heard(output, stereo(tone, tone));
    for (int k = 24'000; k < 48'000; ++k) REQUIRE(std::abs(out[0][k] - 0.5f * tone[k]) < 1e-4f);
}

TEST_CASE("output: what is no number is played as silence") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        NodeRunner output = stereo_output();
        Sound sound = with_peak(2'000, 700, bad), out = heard(output, sound);
        sound[0][700] = 0.f;
        CHECK(bit_difference(out, sound) == "");
        CHECK(output.node().output_watch()->not_numbers == 1);
        CHECK(output.node().output_watch()->since == 700);
    }
}

TEST_CASE("output: a muted one is silent, and tells nothing of what nobody hears") {
    NodeRunner output = stereo_output();
    output.mute();
    Sound sound = with_peak(6 * 48'000, 700, 4.f);
    sound[0][900] = std::numeric_limits<float>::quiet_NaN();
    for (float& x : sound[1]) x = 0.5f;  // an offset
    for (const Channel& channel : heard(output, sound)) CHECK(peak(channel) == 0.);
    const OutputWatch& watch = *output.node().output_watch();
    CHECK(watch.softened == 0);
    CHECK(watch.not_numbers == 0);
    CHECK(watch.since == OutputWatch::never);
    CHECK(watch.dc[1] == 0.f);
}

TEST_CASE("output: without a guard everything passes and nothing is watched") {
    NodeRunner output = stereo_output("off");
    const Sound sound = with_peak(2'000, 700, 100.f);
    CHECK(bit_difference(heard(output, sound), sound) == "");
    CHECK(output.node().output_watch() == nullptr);
}

TEST_CASE("output: an offset above -30 dBFS that stays for 2 s is noticed, tones and short offsets are not") {
    const auto dc = [](const Channel& sound) {
        NodeRunner output = stereo_output();
        heard(output, stereo(sound, silence(static_cast<int>(sound.size()))), Partition::random(3));
        CHECK(output.node().output_watch()->dc[1] == 0.f);
        return output.node().output_watch()->dc[0].load();
    };
    constexpr int seconds_3 = 144'000;
    CHECK(std::abs(dc(constant(seconds_3, -0.05f)) + 0.05f) < 1e-4f);
    CHECK(std::abs(dc(constant(seconds_3, 1.5f)) - 1.5f) < 1e-3f);
    CHECK(dc(constant(seconds_3, 0.031f)) == 0.f);
    CHECK(dc(constant(80'000, 0.5f)) == 0.f);
    for (const double hz : {5., 20.7, 23.3, 50.}) CHECK(dc(sine(seconds_3, hz, 48'000., 0.9)) == 0.f);
}

}  // namespace gainstage::test::output_test
