/// To the engine, models behind a resampler are nodes like any other: they are swapped, warmed, bypassed,
/// quarantined and aligned.

#include "runtime/plan/timing.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::resampled_swap_test {

namespace {

using Kind = EngineNews::Kind;

const std::string source = source_dir();

int seconds(double s) {
    return static_cast<int>(s * scene_rate_hz);
}

/// A recurrent grey box that claims to be trained at another rate.
ModelFile trained_at(long rate_hz) {
    ModelFile parts = model_parts(source + "/tests/data/grey_box-rnn-gru-hard.safetensors");
    parts.metadata["sample_rate"] = std::to_string(rate_hz);
    parts.metadata["memory_samples"] = std::to_string(rate_hz);
    return parts;
}

std::string alone(const std::string& model, const std::string& head = "") {
    return patch("\"in -> box -> out\"", grey_box("box", model), head);
}

Sound swapped_at(int at, const std::string& before, const std::string& text, const Sound& in,
                 Partition partition = {}) {
    EngineRig rig(before);
    rig.at(static_cast<std::uint64_t>(at), [&](EngineRig& r) { r.edit(text); });
    Sound out = rig.run(in, partition);
    REQUIRE(rig.engine().counts().swaps == 1);
    return out;
}

int latency_of(EngineRig& rig) {
    return rig.engine().playing()->latency_samples;
}

/// Checks that the frames from..to of a are bit for bit the frames of b `late` samples earlier.
std::string difference_when_late(const Channel& a, const Channel& b, int late, int from, int to) {
    return bit_difference(mono({a.begin() + from, a.begin() + to}),
                          mono({b.begin() + from - late, b.begin() + to - late}));
}

bool said(const EngineRig& rig, const std::string& words) {
    return std::any_of(rig.news().begin(), rig.news().end(),
                       [&](const EngineNews& news) { return news.text.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("resampled: the player is told once, with the rate and the cost") {
    const TemporaryFolder folder;
    const std::string file = save(folder, "one.safetensors", trained_at(44'100)),
                      same = save(folder, "two.safetensors", retold(trained_at(44'100), "{\"epochs\": 2}"));
    EngineRig rig(alone(file));
    rig.at(10'000, [&](EngineRig& r) { r.edit(alone(same)); });
    rig.run(mono(programme(20'000)));
    REQUIRE(rig.engine().counts().swaps == 1);
    int told = 0;
    for (const EngineNews& news : rig.news())
        told +=
            news.kind == Kind::note && news.text.find("its model was made for 44100 Hz") != std::string::npos;
    CHECK(told == 1);
    CHECK(said(rig, "behind a resampler (2.2 ms of latency)"));
    CHECK(latency_of(rig) == 105);
}

TEST_CASE("resampled: a mix around it is exactly its delayed input at 0 %, and the mean at 50 %") {
    const TemporaryFolder folder;
    const std::string file = save(folder, "one.safetensors", trained_at(44'100));
    const auto at = [&](double percent) {
        return patch(
            "\"in -> blend.dry\", \"in -> box -> blend.wet\", \"blend -> out\"",
            grey_box("box", file) + node("blend", "mix", fmt::format("mix_percent = {:.1f}", percent)));
    };
    const Sound in = mono(programme(seconds(1)));
    EngineRig rig(at(0.));
    const int latency = latency_of(rig);
    REQUIRE(latency == 105);
    const Channel dry = rig.run(in)[0], wet = play(at(100.), in)[0];
    CHECK(difference_when_late(dry, in[0], latency, settled_in, seconds(1)) == "");
    Channel mean(dry.size());
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] = 0.5f * dry[k] + 0.5f * wet[k];
    // after the ramp at the start of the stream, which rounds the sum differently
    const Channel half = play(at(50.), in)[0];
    CHECK(difference_when_late(half, mean, 0, settled_in, seconds(1)) == "");
    CHECK(max_difference(dry, wet) > 0.01);
}

TEST_CASE("resampled: bypassed, it gives its input with its own latency, bit for bit") {
    const TemporaryFolder folder;
    EngineRig rig(alone(save(folder, "one.safetensors", trained_at(44'100))));
    rig.set_at(static_cast<std::uint64_t>(seconds(0.5)), "box.bypass", 1.f, 10.f);
    const Sound in = mono(programme(seconds(1)));
    const Channel out = rig.run(in)[0];
    CHECK(difference_when_late(out, in[0], 105, seconds(0.5) + 481, seconds(1)) == "");
}

TEST_CASE("resampled: blocks of any size give the same bits in the engine, while knobs move") {
    const TemporaryFolder folder;
    const std::string text = alone(save(folder, "one.safetensors", trained_at(44'100)));
    const Sound in = mono(programme(seconds(1)));
    const auto take = [&](Partition partition) {
        EngineRig rig(text);
        for (int k = 0; k < 20; ++k)
            rig.set_at(static_cast<std::uint64_t>(3'001 + 2'003 * k), "box.peak_reduction",
                       static_cast<float>((k * 37) % 100), static_cast<float>((k * 13) % 40));
        return rig.run(in, partition);
    };
    const Sound reference = take({512});
    for (const Partition partition : {Partition{1}, Partition{16}, Partition{37}, Partition::random(5)})
        CHECK(bit_difference(reference, take(partition)) == "");
}

// -------- swaps

TEST_CASE("resampled: the same weights in another file change no bit, and a warmed newcomer almost none") {
    const TemporaryFolder folder;
    const ModelFile parts = trained_at(44'100);
    const std::string one = save(folder, "one.safetensors", parts),
                      same = save(folder, "same.safetensors", retold(parts, "{\"epochs\": 2}")),
                      anew = save(folder, "anew.safetensors", remembering(parts, 44'101));
    const Sound in = mono(programme(seconds(12)));
    const Sound expected = play(alone(one), in);
    CHECK(bit_difference(expected, swapped_at(seconds(10) + 77, alone(one), alone(same), in)) == "");
    const Sound warmed = swapped_at(seconds(10) + 77, alone(one), alone(anew), in);
    // Two seconds of history; everything before is forgotten to the last bits. Measured: 0.
    CHECK(max_difference(expected[0], warmed[0]) < 1e-7);
}

TEST_CASE("resampled: a newcomer that has heard the whole past equals to the bit one that was always there") {
    const TemporaryFolder folder;
    const ModelFile parts = trained_at(44'100);
    const std::string one = save(folder, "one.safetensors", parts),
                      two = save(folder, "two.safetensors", remembering(parts, 6 * 44'100));
    const Sound in = mono(programme(seconds(3)));
    const Sound expected = play(alone(one), in);
    for (const Partition partition : {Partition{16}, Partition{512}, Partition::random(4)})
        CHECK(bit_difference(expected, swapped_at(seconds(2) + 77, alone(one), alone(two), in, partition)) ==
              "");
}

TEST_CASE("resampled: a model of another rate takes over without a click, and the new latency is reported") {
    const TemporaryFolder folder;
    const std::string own = save(folder, "own.safetensors", trained_at(48'000)),
                      other = save(folder, "other.safetensors", trained_at(44'100));
    const int change = seconds(2);
    const Sound in = mono(sine(seconds(3), 100., scene_rate_hz, 0.3));
    for (const bool there : {true, false}) {
        const std::string &from = there ? own : other, &to = there ? other : own;
        EngineRig rig(alone(from));
        rig.at(static_cast<std::uint64_t>(change), [&](EngineRig& r) { r.edit(alone(to)); });
        const Channel out = rig.run(in)[0];
        CHECK(rig.engine().counts().swaps == 1);
        CHECK(said(rig, there ? "the latency of the whole patch changes from 0 to 105 samples"
                              : "the latency of the whole patch changes from 105 to 0 samples"));
        // The phase of the tone moves by 105 samples during the fade. That bends it no more than the tone
        // bends itself.
        CHECK_FALSE(find_click(Channel(out.begin() + seconds(1), out.end()), change - seconds(1),
                               change - seconds(1) + 2'000)
                        .found());
        const Channel always = play(alone(to), in)[0];
        CHECK(max_difference(part(out, change + 2'000), part(always, change + 2'000)) < 1e-7);
    }
}

TEST_CASE("resampled: beside a slower path, a change of rate moves nothing but the node") {
    const TemporaryFolder folder;
    const std::string own = save(folder, "own.safetensors", trained_at(48'000)),
                      other = save(folder, "other.safetensors", trained_at(44'100));
    const auto both = [&](const std::string& file) {
        return patch("\"in -> box -> side\", \"in -> slow -> slower -> out\"",
                     grey_box("box", file) + node("slow", "limiter", "lookahead_ms = 5.0") +
                         node("slower", "gain") + "[nodes.side]\ntype = \"output\"\nchannels = [2]\n");
    };
    EngineRig rig(both(own));
    const int latency = latency_of(rig);
    REQUIRE(latency > 105);
    rig.at(20'000, [&](EngineRig& r) { r.edit(both(other)); });
    const Sound in = mono(programme(seconds(1)));
    const Sound out = rig.run(in), still = play(both(own), in);
    CHECK(rig.engine().counts().swaps == 1);
    CHECK_FALSE(said(rig, "latency of the whole patch changes"));
    CHECK(latency_of(rig) == latency);
    CHECK(bit_difference(mono(out[0]), mono(still[0])) == "");
}

// -------- trouble

TEST_CASE("resampled: in quarantine it gives its input with its own latency, and it comes back") {
    const TemporaryFolder folder;
    ModelFile bold = trained_at(44'100);  // louder than its input, and more so the louder the input is
    for (float& weight : tensor_of(bold, "makeup.out.weight").data) weight *= 6.f;
    EngineRig rig(alone(save(folder, "one.safetensors", bold), "ceiling_dbfs = 0\n"));
    Channel loud = pink_noise(seconds(1), 3, 0.02f);
    constexpr int at = 20'000;
    for (int k = at; k < at + 200; ++k) loud[k] = 0.95f;
    const Channel out = rig.run(mono(loud), {64})[0];
    REQUIRE(rig.count(Kind::tripped) == 1);
    CHECK(rig.count(Kind::returned) == 1);
    CHECK(difference_when_late(out, loud, 105, at + 400, at + 4'000) == "");
    CHECK(difference_when_late(out, loud, 105, seconds(1) - 4'000, seconds(1)) != "");
    CHECK(all_finite(mono(out)));
}

TEST_CASE("resampled: in a loop its latency is subtracted from the delay") {
    const TemporaryFolder folder;
    const std::string file = save(folder, "one.safetensors", trained_at(44'100));
    const auto loop = [&](int delay) {
        return patch("\"in -> sum -> out\", \"sum -> box -> echo -> back -> sum\"",
                     gain("sum", 0.) + gain("back", -6.) + grey_box("box", file) +
                         node("echo", "delay", fmt::format("delay_samples = {}", delay)));
    };
    constexpr int delay = 1'000;
    Channel in = silence(settled_in + 3 * delay);
    for (int k = 0; k < 40; ++k)  // a soft bump that makes no filter ring
        in[settled_in + k] = static_cast<float>(0.1 * std::sin(3.14159 * k / 40));
    const Channel out = play(loop(delay), mono(in))[0];
    const auto loudest_from = [&](int from) {
        const auto begin = out.begin() + from;
        return static_cast<int>(std::max_element(begin, begin + delay - 100) - out.begin());
    };
    const int first = loudest_from(settled_in);
    CHECK(std::abs(loudest_from(settled_in + delay - 50) - first - delay) <= 1);
    CHECK_THROWS_AS(EngineRig(loop(105)), std::runtime_error);
    CHECK_NOTHROW(EngineRig(loop(106)));
}

TEST_CASE("resampled: the latency is known node by node") {
    const TemporaryFolder folder;
    const std::string file = save(folder, "one.safetensors", trained_at(44'100));
    EngineRig rig(
        patch("\"in -> box -> blend.wet\", \"in -> slow -> blend.dry\", \"blend -> safety -> out\", "
              "\"in -> opto -> blend.in1\"",
              grey_box("box", file) + grey_box("opto", source + "/models/opto-textbook.safetensors") +
                  node("slow", "limiter", "lookahead_ms = 1.0") + node("blend", "mix") +
                  node("safety", "limiter")));
    const auto timings = timing_of(*rig.engine().playing(), scene_rate_hz);
    REQUIRE(timings.size() == 3);
    for (const NodeTiming& timing : timings) {
        INFO(timing.node);
        CHECK(timing.counts == (timing.node != "slow"));
        CHECK(timing.resampler_samples == (timing.node == "box" ? 105 : 0));
        CHECK((timing.way == RateWay::resampled) == (timing.node == "box"));
    }
    CHECK(timings[0].latency_samples + timings[2].latency_samples == latency_of(rig));
}

}  // namespace gainstage::test::resampled_swap_test
