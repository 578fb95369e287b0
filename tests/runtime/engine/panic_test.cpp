/// The two ways to silence: a panic, which forgets all sound in flight and comes back, and the end of the
/// stream.

#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::panic_test {

namespace {

void panic_at(EngineRig& rig, std::uint64_t stamp) {
    rig.engine().post({.kind = EventKind::panic, .stamp = stamp});
}

std::string echo(int samples) {
    return patch("\"in -> echo -> out\"", node("echo", "delay", fmt::format("delay_samples = {}", samples)));
}

/// Half a second of tone, then silence.
Sound burst() {
    Channel sound = sine(96'000, 440., scene_rate_hz, 0.3);
    std::fill(sound.begin() + 24'000, sound.end(), 0.f);
    return mono(sound);
}

/// Frames of the ramps down (5 ms) and up (20 ms).
constexpr int down = 240, up = 960;

}  // namespace

TEST_CASE("a panic silences within 5 ms, forgets all echoes, and comes back in 20 ms") {
    EngineRig rig(echo(20'000));
    panic_at(rig, 30'001);
    const Sound out = rig.run(burst(), {64});
    CHECK(peak(part(out[0], 28'000, 30'001)) > 0.2);
    CHECK(peak(part(out[0], 30'001 + down)) == 0.);  // else 14,000 more frames of echo

    EngineRig steady(patch("\"in -> out\"", ""));
    panic_at(steady, 30'001);
    const Sound tone = steady.run(mono(constant(40'000, 0.5f)), {64});
    CHECK(tone[0][30'001] == 0.5f);
    CHECK(tone[0][30'001 + down] == 0.f);
    CHECK(tone[0][30'001 + down + up / 2] == Approx(0.25).margin(1e-3));
    CHECK(tone[0][30'001 + down + up] == 0.5f);
}

TEST_CASE("a panic gives the same bits in blocks of any size") {
    const auto take = [](Partition partition) {
        EngineRig rig(echo(3'001));
        panic_at(rig, 15'005);
        return rig.run(burst(), partition);
    };
    const Sound reference = take({512});
    for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(8)})
        CHECK(bit_difference(reference, take(partition)) == "");
}

TEST_CASE("a panic pressed twice makes no larger step than one pressed once") {
    const auto largest_step = [](const std::vector<std::uint64_t>& stamps) {
        EngineRig rig(patch("\"in -> out\"", ""));
        for (const std::uint64_t stamp : stamps) panic_at(rig, stamp);
        const Sound out = rig.run(mono(constant(40'000, 0.5f)), {64});
        double largest = 0.;
        for (std::size_t k = settled_in; k < out[0].size(); ++k)
            largest = std::max(largest, std::abs(double{out[0][k]} - double{out[0][k - 1]}));
        return largest;
    };
    const double once = largest_step({20'000});
    CHECK(largest_step({20'000, 20'000}) <= once);
    CHECK(largest_step({20'000, 20'100}) <= once);
    CHECK(largest_step({20'000, 20'700}) <= once);
    CHECK(largest_step({20'000, 20'239, 20'240, 20'241}) <= once);
}

TEST_CASE("sound silenced by a panic does not come back with the next edit") {
    // The edit replaces the echo. The new one is warmed on the past, which still holds the tone.
    const std::uint64_t panic = 30'000;
    for (const std::uint64_t edit : {29'990u, 30'100u, 31'000u, 40'000u}) {
        INFO("edited at " << edit);
        EngineRig rig(echo(20'000));
        panic_at(rig, panic);
        rig.at(edit, [](EngineRig& r) { r.edit(echo(40'000)); });
        const Sound out = rig.run(burst(), {64});
        CHECK(rig.engine().counts().swaps == 1);
        CHECK(peak(part(out[0], static_cast<int>(panic) + down)) == 0.);
    }
    EngineRig without(echo(20'000));
    without.at(31'000, [](EngineRig& r) { r.edit(echo(40'000)); });
    CHECK(peak(part(without.run(burst(), {64})[0], 50'000)) > 0.2);
}

TEST_CASE("the end fades out, is reported at its very sample, and stays silent") {
    const int size = GENERATE(1, 64, 512);
    const float ms = GENERATE(0.f, 50.f);
    EngineRig rig(patch("\"in -> out\"", ""));
    rig.engine().post({.kind = EventKind::fade_out, .value = ms, .stamp = 20'001});
    panic_at(rig, 21'000);  // the fade-out is already on its way
    const Sound out = rig.run(mono(constant(40'000, 0.5f)), {size});
    const int length = std::max(1, static_cast<int>(ms * 48.f));
    CHECK(out[0][20'001] == 0.5f);
    const int middle = length / 2;
    CHECK(out[0][20'001 + middle] == Approx(0.5 * (1. - static_cast<double>(middle) / length)).margin(1e-4));
    CHECK(peak(part(out[0], 20'001 + length)) == 0.);
    CHECK(rig.engine().silent());
    for (const EngineNews& news : rig.news())
        if (news.kind == EngineNews::Kind::silent)
            CHECK(news.stamp == 20'001u + static_cast<std::uint64_t>(length));
}

}  // namespace gainstage::test::panic_test
