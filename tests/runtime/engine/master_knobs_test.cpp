/// The player's hands on the whole stream: gain, mute, and the inputs straight to the outputs.

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::master_knobs_test {

namespace {

constexpr int ramp = 960;  // 20 ms

void turn(EngineRig& rig, MasterKnob knob, float value, std::uint64_t stamp, float ms = -1.f) {
    REQUIRE(rig.engine().set(knob, value, ms, stamp));
}

/// A patch that is late: a limiter looks ahead.
std::string late(double look_ahead_ms, double db = -12.) {
    return patch(
        "\"in -> trim -> limit -> out\"",
        gain("trim", db) + node("limit", "limiter", fmt::format("lookahead_ms = {:.3f}", look_ahead_ms)));
}

bool same(Samples a, Samples b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

int latency_of(const std::string& toml) {
    return EngineRig(toml).engine().playing()->latency_samples;
}

/// `x`, `delay` samples later.
float earlier(const Channel& x, int k, int delay) {
    return k < delay ? 0.f : x[static_cast<std::size_t>(k - delay)];
}

}  // namespace

TEST_CASE("at 0 dB, neither muted nor bypassed, every bit passes, also after it was turned") {
    const Sound in = mono(programme(60'000));
    const std::string toml = late(2.);
    EngineRig untouched(toml), turned(toml);
    turn(turned, MasterKnob::gain_db, -20.f, 10'000);
    turn(turned, MasterKnob::mute, 1.f, 12'000);
    turn(turned, MasterKnob::bypass, 1.f, 13'000);
    turn(turned, MasterKnob::bypass, 0.f, 20'000);
    turn(turned, MasterKnob::mute, 0.f, 21'000);
    turn(turned, MasterKnob::gain_db, 0.f, 22'000);
    const Sound a = untouched.run(in, {64}), b = turned.run(in, Partition::random(4));
    CHECK(same(part(a[0], 0, 10'000), part(b[0], 0, 10'000)));
    CHECK_FALSE(same(part(a[0], 10'000, 20'000), part(b[0], 10'000, 20'000)));
    CHECK(same(part(a[0], 22'000 + ramp), part(b[0], 22'000 + ramp)));
}

TEST_CASE("the gain is decibels, straight on the way; mute is silence to the bit; each at its sample") {
    EngineRig rig(patch("\"in -> out\"", ""));
    turn(rig, MasterKnob::gain_db, -20.f, 20'001);
    turn(rig, MasterKnob::gain_db, -60.f, 30'000, 100.f);
    turn(rig, MasterKnob::mute, 1.f, 40'000);
    turn(rig, MasterKnob::mute, 0.f, 50'000, 0.f);
    turn(rig, MasterKnob::gain_db, -1'000.f, 60'000, 0.f);  // the end of its range
    turn(rig, MasterKnob::gain_db, 40.f, 61'000, 0.f);
    const Channel out = rig.run(mono(constant(62'000, 0.5f)), {512})[0];
    CHECK(out[20'001] == 0.5f);
    CHECK(out[20'002] < 0.5f);
    CHECK(out[20'001 + ramp / 2] == Approx(0.5 * std::pow(10., -10. / 20.)).epsilon(1e-4));
    CHECK(out[20'001 + ramp] == Approx(0.05).epsilon(1e-5));
    CHECK(out[30'000 + 2'400] == Approx(0.5 * std::pow(10., -40. / 20.)).epsilon(1e-4));
    CHECK(out[39'999] == Approx(0.0005).epsilon(1e-4));
    CHECK(peak(part(out, 40'000 + ramp, 50'000)) == 0.);
    CHECK(out[50'000] == Approx(0.0005).epsilon(1e-4));
    CHECK(out[60'000] == Approx(0.0005).epsilon(1e-4));
    CHECK(out[61'000] == 0.5f);
}

TEST_CASE(
    "a bypass plays the input, as late as the patch, to the bit, and comes and goes in 20 ms without a "
    "click") {
    const std::string toml = late(3.);
    const int delay = latency_of(toml);
    REQUIRE(delay > 100);
    const Channel in = sine(96'000, 220., scene_rate_hz, 0.4);
    EngineRig rig(toml);
    turn(rig, MasterKnob::bypass, 1.f, 30'001);
    turn(rig, MasterKnob::bypass, 0.f, 60'007);
    const Channel out = rig.run(mono(in), Partition::random(2))[0];
    for (int k = 30'001 + ramp; k <= 60'007; ++k)
        if (out[k] != earlier(in, k, delay)) {
            INFO(k);
            REQUIRE(out[k] == earlier(in, k, delay));
        }
    EngineRig plain(toml);
    const Channel usual = plain.run(mono(in), {64})[0];
    CHECK(same(part(out, 0, 30'001), part(usual, 0, 30'001)));
    CHECK(same(part(out, 60'007 + ramp), part(usual, 60'007 + ramp)));
    double largest = 0., steepest = 0.;
    for (std::size_t k = settled_in; k < out.size(); ++k) {
        largest = std::max(largest, std::abs(double{out[k]} - double{out[k - 1]}));
        steepest = std::max(steepest, std::abs(double{earlier(in, static_cast<int>(k), delay)} -
                                               double{earlier(in, static_cast<int>(k) - 1, delay)}));
    }
    CHECK(largest < 1.1 * steepest);  // no step that the tone has not itself, but for the ramp's slope
}

TEST_CASE("a bypass stays in time while an edit changes the patch's latency, and makes no click") {
    const std::string before = late(1.), after = late(4.);
    const int first = latency_of(before), second = latency_of(after);
    REQUIRE(second > first);
    const Channel in = sine(120'000, 150., scene_rate_hz, 0.4);
    EngineRig rig(before);
    turn(rig, MasterKnob::bypass, 1.f, 20'000);
    rig.at(60'000, [&](EngineRig& r) { r.edit_now(after); });
    const Channel out = rig.run(mono(in), {64})[0];
    CHECK(out[59'999] == earlier(in, 59'999, first));
    CHECK(out[60'000 + ramp] == earlier(in, 60'000 + ramp, second));
    CHECK(out[119'999] == earlier(in, 119'999, second));
    double largest = 0.;
    for (std::size_t k = settled_in + 20'000; k < out.size(); ++k)
        largest = std::max(largest, std::abs(double{out[k]} - double{out[k - 1]}));
    CHECK(largest < 0.4 * 2. * 3.1416 * 150. / scene_rate_hz * 1.2);
}

TEST_CASE("outputs get the inputs in their order, and only channels of the patch are heard") {
    // Two outputs of one input; an input that the patch does not read stays away from the outputs.
    const std::string toml = "format = 1\nlinks = [\"in -> out\"]\n" + node("in", "input", "channels = [2]") +
                             node("out", "output", "channels = [1, 2]\nguard = \"off\"");
    EngineRig rig(toml);
    turn(rig, MasterKnob::bypass, 1.f, 0, 0.f);
    const Sound out = rig.run({constant(9'600, 0.9f), constant(9'600, 0.25f)}, {64});
    REQUIRE(out.size() == 2);
    CHECK(out[0][9'000] == 0.25f);
    CHECK(out[1][9'000] == 0.25f);
}

TEST_CASE(
    "whatever comes in, nothing leaves the bypass above 0 dBFS or as no number; a mute silences even that") {
    EngineRig rig(patch("\"in -> out\"", ""));
    Channel in = constant(20'000, 0.5f);
    in[10'000] = std::numeric_limits<float>::quiet_NaN();
    in[10'001] = std::numeric_limits<float>::infinity();
    in[10'002] = -3.f;
    in[15'000] = std::numeric_limits<float>::quiet_NaN();
    turn(rig, MasterKnob::bypass, 1.f, 5'000);
    turn(rig, MasterKnob::mute, 1.f, 12'000);
    const Channel out = rig.run(mono(in), {64})[0];
    CHECK(out[10'000] == 0.f);
    CHECK(out[10'001] == 0.f);
    CHECK(out[10'002] == -1.f);
    CHECK(out[10'003] == 0.5f);
    CHECK(peak(part(out, 12'000 + ramp)) == 0.);
}

TEST_CASE("the master gives the same bits in blocks of any size, with a panic and an edit between") {
    const auto take = [](Partition partition) {
        EngineRig rig(late(1.));
        for (int k = 0; k < 40; ++k) {
            const auto at = static_cast<std::uint64_t>(3'000 + 1'777 * k);
            turn(rig, static_cast<MasterKnob>(k % 3),
                 k % 3 == 0 ? -0.7f * static_cast<float>(k) : static_cast<float>(k / 3 % 2), at,
                 k % 4 ? -1.f : 5.f * static_cast<float>(k));
        }
        rig.engine().post({.kind = EventKind::panic, .stamp = 20'011});
        rig.at(40'000, [](EngineRig& r) { r.edit_now(late(3.)); });
        return rig.run(mono(programme(90'000)), partition);
    };
    const Sound reference = take({512});
    for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(8)})
        CHECK(bit_difference(reference, take(partition)) == "");
}

}  // namespace gainstage::test::master_knobs_test
