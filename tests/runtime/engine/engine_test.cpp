/// The engine as a player meets it: what sounds, when it changes, and that block sizes don't matter.

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::engine_test {

namespace {

constexpr double rate = 48'000.;

std::string patch(const std::string& links, const std::string& nodes, const std::string& rest = "") {
    return "format = 1\nname = \"t\"\nlinks = [" + links + "]\n" + rest +
           "\n[nodes.in]\ntype = \"input\"\nchannels = [1]\n[nodes.out]\ntype = \"output\"\nchannels = "
           "[1]\nguard = \"off\"\n" +
           nodes;
}

std::string gain(const std::string& id, double db) {
    return "[nodes." + id + "]\ntype = \"gain\"\ngain_db = " + std::to_string(db) + "\n";
}

/// After the ramp at the start of every stream.
constexpr int settled_in = 2'000;

Channel noise(int frames, std::uint32_t seed = 7) {
    return white_noise(frames, seed, 0.5f);
}

}  // namespace

TEST_CASE("a chain of gains multiplies") {
    const Sound in = mono(noise(9'600));
    const Sound out = play(patch("\"in -> a -> b -> out\"", gain("a", -6.0) + gain("b", 2.0)), in);
    const double factor = std::pow(10., -4. / 20.);
    double worst = 0.;
    for (std::size_t k = settled_in; k < in[0].size(); ++k)
        worst = std::max(worst, std::abs(out[0][k] - in[0][k] * factor));
    CHECK(worst < 2e-7);  // two float32 products of values below 1
}

TEST_CASE("a live stream begins with a ramp, a file at full level, whatever the block size") {
    const int size = GENERATE(1, 64, 512);
    const Sound in = mono(constant(4'800, 0.5f));
    EngineRig live(patch("\"in -> out\"", ""));
    live.engine().room().begin_with_ramp();
    const Sound out = live.run(in, {size});
    CHECK(out[0][0] == 0.f);
    CHECK(out[0][480] == Approx(0.25).margin(1e-3));
    CHECK(out[0][1'000] == 0.5f);
    CHECK(bit_difference(in, mono(play(patch("\"in -> out\"", ""), in, {size})[0])) == "");
}

TEST_CASE("several cables into one port add up") {
    const Sound in = mono(noise(4'800));
    const Sound out = play(
        patch("\"in -> a -> out\", \"in -> b -> out\", \"in -> out\"", gain("a", 0.) + gain("b", 0.)), in);
    double worst = 0.;
    for (std::size_t k = settled_in; k < in[0].size(); ++k)
        worst = std::max(worst, std::abs(double{out[0][k]} - 3. * in[0][k]));
    CHECK(worst < 2e-7);
}

TEST_CASE("blocks of any size give the same bits") {
    const std::string rig = patch(
        "\"in -> comp -> mixer.wet\", \"in -> mixer.dry\", \"mixer -> safety -> out\", \"in -> send -> echo "
        "-> tone -> send\", \"tone -> mixer.in1\"",
        "[nodes.comp]\ntype = \"compressor\"\nthreshold_db = -30\n[nodes.mixer]\ntype = "
        "\"mix\"\n[nodes.safety]\ntype = \"limiter\"\n"
        "[nodes.send]\ntype = \"gain\"\ngain_db = -9\n[nodes.echo]\ntype = \"delay\"\ndelay_samples = "
        "37\n[nodes.tone]\ntype = \"filter\"\n");
    const Sound in = mono(noise(12'000));
    const auto take = [&](Partition partition) {
        EngineRig engine(rig);
        engine.set_at(3'001, "comp.threshold_db", -12.f);
        engine.set_at(5'003, "tone.cutoff_hz", 4'000.f, 0.f);
        engine.set_at(5'003, "comp.bypass", 1.f);
        engine.set_at(7'777, "comp.bypass", 0.f);
        engine.set_at(8'000, "mixer.mute", 1.f, 5.f);
        engine.set_at(9'000, "mixer.mute", 0.f, 5.f);
        return engine.run(in, partition);
    };
    const Sound reference = take({512});
    CHECK(rms(reference[0]) > 0.05);
    for (const Partition partition :
         {Partition{1}, Partition{16}, Partition{37}, Partition{64}, Partition::random(3)})
        CHECK(bit_difference(reference, take(partition)) == "");
}

TEST_CASE("bypass and mute stand in the patch: a stream begins with them, and an edit of them fades") {
    const auto text = [](const std::string& vol, const std::string& out = "") {
        return "format = 1\nlinks = [\"in -> vol -> out\"]\n" + node("in", "input", "channels = [1]") +
               node("vol", "gain", "gain_db = -6\n" + vol) + node("out", "output", "channels = [1]\n" + out);
    };
    const int ramp = 960;  // 20 ms
    const Sound in = mono(noise(12'000));
    CHECK(peak(play(text("mute = true"), in)[0]) == 0.);
    CHECK(peak(play(text("", "mute = true"), in)[0]) == 0.);
    CHECK(bit_difference(play(text("bypass = true"), in), play(text("bypass = 1"), in)) == "");
    CHECK(rms(play(text(""), in)[0]) < 0.52 * rms(play(text("bypass = true"), in)[0]));
    for (const std::string guard : {"", "guard = \"off\"\n"}) {
        const auto edited = [&](Partition partition) {
            EngineRig rig(text("", guard));
            rig.at(4'000, [&](EngineRig& r) { r.edit(text("", guard + "mute = true")); });
            rig.at(8'000, [&](EngineRig& r) { r.edit(text("mute = true", guard)); });
            return rig.run(in, partition);
        };
        const Sound heard = edited({500});
        CHECK(rms(cut(heard, 3'000, 4'000)[0]) > 0.1);
        CHECK(peak(cut(heard, 4'500 + ramp, 8'000)[0]) == 0.);
        CHECK(peak(cut(heard, 8'500 + 2 * ramp, 12'000)[0]) == 0.);
        EngineRig moved(text("", guard)), same(text("", guard));
        moved.set_at(4'001, "out.mute", 1.f), same.set_at(4'001, "out.mute", 1.f);
        moved.set_at(7'003, "out.mute", 0.f), same.set_at(7'003, "out.mute", 0.f);
        const Sound one = moved.run(in, {512});
        CHECK(bit_difference(one, same.run(in, Partition::random(5))) == "");
        CHECK(peak(cut(one, 4'001 + ramp, 7'003)[0]) == 0.);
        CHECK(bit_difference(cut(one, 7'003 + ramp, 12'000),
                             cut(play(text("", guard), in), 7'003 + ramp, 12'000)) == "");
    }
}

TEST_CASE("a loop is exactly as long as its delay says, whatever the block size") {
    const int delay = GENERATE(1, 7, 100);
    const int size = GENERATE(1, 64, 512, 0);
    const std::string rig =
        patch("\"in -> sum -> out\", \"sum -> echo -> back -> sum\"",
              gain("sum", 0.) + gain("back", -6.0205999) +
                  "[nodes.echo]\ntype = \"delay\"\ndelay_samples = " + std::to_string(delay) + "\n");
    const Sound in = mono(impulse(6'000, settled_in));
    const Sound out = play(rig, in, size ? Partition{size} : Partition::random(11));
    for (int k = 0; k < 3'000; ++k) {
        const double expected = k % delay == 0 && k / delay < 100 ? std::pow(0.5, k / delay) : 0.;
        REQUIRE(out[0][settled_in + k] == Approx(expected).margin(1e-6));
    }
}

TEST_CASE("parallel paths are aligned, and the total latency is known") {
    EngineRig engine(
        patch("\"in -> look -> out\", \"in -> turn -> out\"",
              "[nodes.look]\ntype = \"limiter\"\nceiling_dbfs = 0\n[nodes.turn]\ntype = \"polarity\"\n"));
    const int latency = engine.engine().playing()->latency_samples;
    CHECK(latency > 0);
    const Sound out = engine.run(mono(white_noise(9'600, 5, 0.2f)));
    CHECK(peak(part(out[0], settled_in)) ==
          0.);  // sound that the limiter leaves alone cancels to the last bit
}

TEST_CASE("an edit that changes nothing else leaves every other path bit for bit as it was") {
    const std::string before = patch("\"in -> a -> out\"", gain("a", -3.));
    const std::string two =
        "format = 1\nlinks = [\"in -> a -> out\", \"in -> b -> side\"]\n[nodes.in]\ntype = "
        "\"input\"\nchannels = [1]\n[nodes.out]\ntype = \"output\"\nchannels = [1]\n"
        "[nodes.side]\ntype = \"output\"\nchannels = [2]\n" +
        gain("a", -3.);
    const Sound in = mono(noise(20'000));
    EngineRig still(two + gain("b", -3.)), edited(two + gain("b", -3.));
    edited.at(8'000, [&](EngineRig& rig) { rig.edit(two + "[nodes.b]\ntype = \"filter\"\n"); });
    const Sound expected = still.run(in, {64}), out = edited.run(in, {64});
    CHECK(edited.engine().counts().edits == 1);
    CHECK(bit_difference(mono(expected[0]), mono(out[0])) == "");
    CHECK(max_difference(part(expected[1], 10'000), part(out[1], 10'000)) > 0.01);
}

TEST_CASE("edits don't click") {
    const std::string base = patch("\"in -> a -> b -> out\"", gain("a", -3.) + gain("b", -3.));
    const std::vector<std::pair<std::string, std::string>> edits{
        {"insert", patch("\"in -> a -> c -> b -> out\"", gain("a", -3.) + gain("b", -3.) + gain("c", -1.))},
        {"remove", patch("\"in -> b -> out\"", gain("b", -3.))},
        {"reorder", patch("\"in -> b -> a -> out\"", gain("a", -3.) + gain("b", -3.))},
        {"rewire", patch("\"in -> a -> out\", \"in -> b -> out\"", gain("a", -3.) + gain("b", -3.))},
        {"replace", patch("\"in -> a -> b -> out\"", gain("a", -3.) + "[nodes.b]\ntype = \"compressor\"\n")},
    };
    const double hz = 100.;
    const Sound in = mono(sine(30'000, hz, rate, 0.3));
    const double steady = std::pow(10., -6. / 20.) * max_second_difference(part(in[0], settled_in));
    for (const auto& [name, text] : edits) {
        INFO(name);
        EngineRig engine(base);
        engine.at(10'000, [&text = text](EngineRig& rig) { rig.edit(text); });
        const Sound out = engine.run(in, {64});
        CHECK(engine.count(EngineNews::Kind::finished) == 2);
        const double after = max_second_difference(part(out[0], 20'000));
        CHECK(max_second_difference(part(out[0], settled_in)) < 1.1 * std::max(steady, after));
    }
}

TEST_CASE("nodes that swap places do so without a click and keep their state") {
    const std::string nodes =
        "[nodes.hp]\ntype = \"filter\"\nmode = \"highpass\"\ncutoff_hz = 30\n[nodes.comp]\ntype = "
        "\"compressor\"\nthreshold_db = -30\n";
    EngineRig engine(patch("\"in -> hp -> comp -> out\"", nodes));
    engine.at(20'000, [&](EngineRig& rig) { rig.edit(patch("\"in -> comp -> hp -> out\"", nodes)); });
    const Sound in = mono(sine(40'000, 440., rate, 0.3));
    const Sound out = engine.run(in, {64});
    CHECK(engine.engine().counts().edits == 1);
    CHECK(engine.count(EngineNews::Kind::note) == 2);  // both are named
    const double before = max_second_difference(part(out[0], 15'000, 20'000));
    CHECK(max_second_difference(part(out[0], 19'000)) < 1.1 * before);
    CHECK(rms_db(part(out[0], 35'000)) == Approx(rms_db(part(out[0], 15'000, 20'000))).margin(0.2));
}

TEST_CASE("quarantine: a bad sample is never heard; its node is replaced by its input and comes back") {
    const std::string what = GENERATE("nan", "inf", "loud", "stuck_nan");
    const int size = GENERATE(1, 16, 512, 0);
    INFO(what << " in blocks of " << size);
    const std::string rig = patch("\"in -> bomb -> out\"",
                                  "[nodes.bomb]\ntype = \"bomb\"\nat = 10001\nwhat = \"" + what + "\"\n");
    EngineRig engine(rig);
    const Sound in = mono(sine(24'000, 100., rate, 0.3));
    const Sound out = engine.run(in, size ? Partition{size} : Partition::random(5));
    CHECK(all_finite(out));
    CHECK(engine.count(EngineNews::Kind::tripped) == 1);
    CHECK(engine.count(EngineNews::Kind::returned) == 1);
    // The bomb passes its input. So the only audible change is the 2 ms ramp from the last good sample to the
    // input: it differs by no more than the sine moves in that time, and no step is larger than the ramp's.
    const double slope = 0.3 * 2. * 3.1416 * 100. / rate;
    CHECK(max_difference(part(out[0], settled_in), part(in[0], settled_in)) < slope * 96.);
    double largest_step = 0.;
    for (std::size_t k = settled_in; k < out[0].size(); ++k)
        largest_step = std::max(largest_step, std::abs(double{out[0][k]} - out[0][k - 1]));
    CHECK(largest_step < 3. * slope);
    CHECK(bit_difference(mono({out[0].begin() + 20'000, out[0].end()}),
                         mono({in[0].begin() + 20'000, in[0].end()})) == "");
}

TEST_CASE("quarantine gives the same bits in blocks of any size, in a chain and in a loop") {
    const std::string links =
        GENERATE("\"in -> bomb -> out\"", "\"in -> sum -> bomb -> out\", \"bomb -> echo -> sum\"");
    const std::string nodes =
        "[nodes.bomb]\ntype = \"bomb\"\nat = 9999\nevery = 9000\nwhat = \"stuck_nan\"\n";
    const std::string loop = gain("sum", -7.) + "[nodes.echo]\ntype = \"delay\"\ndelay_samples = 100\n";
    const std::string rig = patch(links, nodes + (links.find("echo") == std::string::npos ? "" : loop));
    const Sound in = mono(noise(40'000));
    const Sound reference = play(rig, in, {512});
    CHECK(all_finite(reference));
    for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(2)})
        CHECK(bit_difference(reference, play(rig, in, partition)) == "");
}

TEST_CASE("three trips in ten seconds latch a node to bypass") {
    EngineRig engine(
        patch("\"in -> bomb -> out\"", "[nodes.bomb]\ntype = \"bomb\"\nat = 10000\nevery = 20000\n"));
    const Sound out = engine.run(mono(noise(100'000)), {64});
    CHECK(all_finite(out));
    CHECK(engine.count(EngineNews::Kind::tripped) == 2);
    CHECK(engine.count(EngineNews::Kind::latched) == 1);
    CHECK(engine.count(EngineNews::Kind::returned) == 2);
}

TEST_CASE("a bypassed node gives its input to the bit, and comes back as if it had always played") {
    const Sound in = mono(noise(30'000));
    const std::string text =
        patch("\"in -> comp -> out\"", "[nodes.comp]\ntype = \"compressor\"\nthreshold_db = -30\n");
    EngineRig engine(text);
    engine.set_at(10'000, "comp.bypass", 1.f);
    engine.set_at(20'000, "comp.bypass", 0.f);
    const Sound out = engine.run(in, {64}), always = play(text, in, {64});
    const auto both = [](const Sound& a, const Sound& b, int from, int to) {
        return bit_difference(cut(a, from, to), cut(b, from, to));
    };
    CHECK(both(always, out, 0, 10'000) == "");
    CHECK(both(in, mono(out[0]), 11'000, 20'000) == "");  // after the ramp of 20 ms
    CHECK(both(always, out, 21'000, 30'000) == "");
}

}  // namespace gainstage::test::engine_test
