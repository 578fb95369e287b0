#include "nodes/effects/delay.hpp"

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::delay_test {

namespace {

NodeConfig fixed(std::int64_t samples, int loop_latency = 0) {
    return {.options = {{"delay_samples", samples}}, .loop_latency_samples = loop_latency};
}

Channel late(const Channel& in, int samples) {
    Channel out(in.size(), 0.f);
    for (std::size_t k = static_cast<std::size_t>(samples); k < in.size(); ++k)
        out[k] = in[k - static_cast<std::size_t>(samples)];
    return out;
}

/// A comb: y = x + gain * delay(y). It runs as the engine runs loops, in pieces of at most `longest`.
Channel comb(const NodeConfig& config, const Channel& x, float gain, int longest,
             std::vector<Move> moves = {}) {
    Setup setup = NodeRunner(Delay::type(), config).setup();
    Delay delay(setup);
    Channel fed_back(x.size()), y(x.size());
    PortBuffer in{{y.data()}, 1}, out{{fed_back.data()}, 1};
    Ramp knob = settled(setup.start[0]);
    std::size_t next = 0;
    for (int at = 0; at < static_cast<int>(x.size());) {
        const auto time = static_cast<std::uint64_t>(at);
        for (; next < moves.size() && moves[next].frame == at; ++next)
            knob = {.start = time, .length = 960, .from = knob.at(time), .to = moves[next].value};
        int frames =
            std::min({longest, static_cast<int>(x.size()) - at, delay.shortest_delay_samples(&knob, time)});
        if (next < moves.size()) frames = std::min(frames, moves[next].frame - at);
        const Block block{
            .time = time, .frames = frames, .offset = at, .inputs = &in, .outputs = &out, .params = &knob};
        delay.emit(block);
        for (int k = at; k < at + frames; ++k) {
            const auto i = static_cast<std::size_t>(k);
            y[i] = x[i] + gain * fed_back[i];
        }
        delay.absorb(block);
        at += frames;
    }
    return y;
}

}  // namespace

TEST_CASE("delay: an impulse into a 4-sample delay comes out 4 later") {
    const Channel out = NodeRunner(Delay::type(), fixed(4)).run(mono(impulse(20, 3)), {1})[0];
    CHECK(bit_difference(mono(out), mono(impulse(20, 7))).empty());
}

TEST_CASE("delay: the input comes out unchanged, as many samples later as set, in blocks of any size") {
    const Channel noise = white_noise(30'000, 1);
    const Partition partition = GENERATE(Partition{1}, Partition{64}, Partition{8192}, Partition::random(5));
    for (const int samples : {1, 2, 63, 64, 65, 513, 9000, 29'999}) {
        const Sound out = NodeRunner(Delay::type(), fixed(samples)).run(mono(noise), partition);
        CHECK(bit_difference(out, mono(late(noise, samples))) == "");
    }
}

TEST_CASE("delay: milliseconds are rounded to whole samples, and 0 is no delay") {
    const Channel noise = white_noise(5000, 1);
    const auto run = [&](float ms, double rate_hz) {
        return NodeRunner(Delay::type(), {.sample_rate_hz = rate_hz, .params = {{"delay_ms", ms}}})
            .run(mono(noise));
    };
    CHECK(bit_difference(run(0.f, 48'000.), mono(noise)) == "");
    CHECK(bit_difference(run(10.f, 48'000.), mono(late(noise, 480))) == "");
    CHECK(bit_difference(run(10.f, 44'100.), mono(late(noise, 441))) == "");
    CHECK(bit_difference(run(0.02f, 48'000.), mono(late(noise, 1))) == "");  // 0.96
}

TEST_CASE("delay: the longest delay is 2 s at every rate") {
    const double rate_hz = GENERATE(44'100., 48'000., 96'000.);
    const int samples = static_cast<int>(2 * rate_hz);
    NodeRunner delay(Delay::type(), {.sample_rate_hz = rate_hz, .params = {{"delay_ms", 2000.f}}});
    CHECK(delay.node().memory_samples() == samples);
    const Sound out = delay.run(mono(impulse(samples + 100, 7)), {max_block_frames});
    CHECK(bit_difference(out, mono(impulse(samples + 100, samples + 7))) == "");
}

TEST_CASE("delay: a move fades from the old tap to the new one, from its sample on, without a click") {
    const Channel tone = sine(48'000, 440., 48'000.);
    NodeRunner delay(Delay::type(), {.params = {{"delay_ms", 100.f}}});
    const Channel out = delay.run(mono(tone), {64}, {{20'000, "delay_ms", 137.f}})[0];
    CHECK(max_difference(part(out, 0, 20'001), part(late(tone, 4800), 0, 20'001)) == 0.);
    CHECK(max_difference(part(out, 20'960), part(late(tone, 6576), 20'960)) == 0.);
    CHECK(out[20'300] != late(tone, 4800)[20'300]);
    CHECK(max_second_difference(part(out, 10'000)) < 1.1 * max_second_difference(tone));
}

TEST_CASE("delay: moves during a fade wait for its end, the last one wins, and nothing clicks") {
    const Channel tone = sine(48'000, 440., 48'000.);
    NodeRunner delay(Delay::type(), {.params = {{"delay_ms", 100.f}}});
    const Channel out = delay.run(
        mono(tone), {64},
        {{20'000, "delay_ms", 137.f}, {20'100, "delay_ms", 500.f}, {20'700, "delay_ms", 50.f, 40.f}})[0];
    // the first fade ends at 20960 and the second, to 50 ms, takes 40 ms from there
    CHECK(out[20'960] == late(tone, 6576)[20'960]);
    CHECK(out[22'879] != late(tone, 2400)[22'879]);
    CHECK(max_difference(part(out, 22'880), part(late(tone, 2400), 22'880)) == 0.);
    CHECK(max_second_difference(part(out, 10'000)) < 1.1 * max_second_difference(tone));
}

TEST_CASE("delay: with smooth_ms = 0 the tap jumps at that very sample") {
    const Channel noise = white_noise(9000, 1);
    NodeRunner delay(Delay::type(), {.params = {{"delay_ms", 10.f}}});
    const Channel out = delay.run(mono(noise), {64}, {{5000, "delay_ms", 20.f, 0.f}})[0];
    CHECK(out[4999] == late(noise, 480)[4999]);
    CHECK(out[5000] == late(noise, 960)[5000]);
}

TEST_CASE("delay: moves do not depend on blocks, and a copy made during a fade continues it") {
    const std::vector<Move> moves{{2000, "delay_ms", 5.f},
                                  {2100, "delay_ms", 77.f},
                                  {2500, "delay_ms", 0.f, 3.f},
                                  {5800, "delay_ms", 20.f},
                                  {5950, "delay_ms", 8.f}};
    CHECK(broken_promise(Delay::type(), {.channels = 2, .params = {{"delay_ms", 30.f}}},
                         {stereo(white_noise(6000, 1), white_noise(6000, 2))}, moves) == "");
}

TEST_CASE("delay: a loop of 1, 7 and 100 samples rings exactly, in blocks of any size") {
    const Channel noise = white_noise(2000, 3);
    for (const int samples : {1, 7, 100}) {
        Channel expected = noise;
        for (std::size_t k = static_cast<std::size_t>(samples); k < expected.size(); ++k)
            expected[k] = noise[k] + 0.5f * expected[k - static_cast<std::size_t>(samples)];
        for (const int longest : {1, 3, 64, 512})
            CHECK(bit_difference(mono(comb(fixed(samples), noise, 0.5f, longest)), mono(expected)) == "");
    }
}

TEST_CASE("delay: a knob that moves in a loop sounds the same in blocks of any size") {
    const Channel noise = white_noise(9000, 3);
    const NodeConfig config{.params = {{"delay_ms", 10.f}}};
    const std::vector<Move> moves{{1000, "delay_ms", 0.f}, {1300, "delay_ms", 3.f}, {5000, "delay_ms", 40.f}};
    const Channel expected = comb(config, noise, 0.5f, 1, moves);
    CHECK(peak(expected) < 2.01);
    for (const int longest : {16, 64, 512})
        CHECK(bit_difference(mono(comb(config, noise, 0.5f, longest, moves)), mono(expected)) == "");
}

TEST_CASE("delay: a loop's latency is subtracted, and a loop that is too slow is refused") {
    const Channel out = NodeRunner(Delay::type(), fixed(100, 30)).run(mono(impulse(200)))[0];
    CHECK(bit_difference(mono(out), mono(impulse(200, 70))) == "");
    CHECK_NOTHROW(NodeRunner(Delay::type(), fixed(31, 30)));
    CHECK_THROWS_AS(NodeRunner(Delay::type(), fixed(30, 30)), SetupError);
    CHECK_THROWS_AS(NodeRunner(Delay::type(), {.params = {{"delay_ms", 0.5f}}, .loop_latency_samples = 24}),
                    SetupError);
}

TEST_CASE("delay: a knob set below the latency of its loop gives 1 sample") {
    const NodeConfig config{.params = {{"delay_ms", 10.f}}, .loop_latency_samples = 400};
    const Channel noise = white_noise(4000, 3);
    const Channel out = comb(config, noise, 1.f, 64, {{2000, "delay_ms", 1.f}});
    CHECK(out[3500] == Approx(noise[3500] + out[3499]));
}

TEST_CASE("delay: after a reset the past is silence") {
    NodeRunner delay(Delay::type(), fixed(100));
    delay.run(mono(white_noise(50'000, 1)));  // more than any ring for 100 samples can hold
    delay.reset();
    CHECK(peak(delay.run(mono(silence(5000)))[0]) == 0.);
}

TEST_CASE("delay: longest_ms bounds the delay, and the memory that it takes") {
    const auto delay = [](double longest_ms, float delay_ms) {
        return NodeRunner(Delay::type(),
                          {.options = {{"longest_ms", longest_ms}}, .params = {{"delay_ms", delay_ms}}});
    };
    NodeRunner bounded = delay(10., 500.f), whole = delay(2'000., 500.f);
    const Channel out = bounded.run(mono(impulse(1'000, 0)))[0];
    CHECK(out[480] == 1.f);
    CHECK(peak(part(out, 0, 480)) == 0.);
    CHECK(bounded.node().memory_samples() == 480);
    CHECK(bounded.memory().bytes() < 70'000);  // a ring for 480 samples and a block of 8,192
    CHECK(whole.memory().bytes() > 384'000);
}

}  // namespace gainstage::test::delay_test
