/// Quarantine: from its first bad sample on a node is replaced by its input; it comes back rebuilt.

#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::quarantine_test {

namespace {

using Kind = EngineNews::Kind;

constexpr int at = 10'001;   ///< where most bombs go off
constexpr int ramp = 96;     ///< 2 ms
constexpr int back = 4'800;  ///< 100 ms until the node is back
constexpr int fade = 1'200;

std::string bomb(const std::string& settings, const std::string& id = "bomb") {
    return node(id, "bomb", settings);
}

std::string chain(const std::string& settings) {
    return patch("\"in -> bomb -> out\"", bomb(settings));
}

std::string loop(const std::string& settings) {
    return patch("\"in -> sum -> bomb -> out\", \"bomb -> echo -> sum\"",
                 bomb(settings) + gain("sum", -7.) + node("echo", "delay", "delay_samples = 100"));
}

/// A patch with both device channels in and out.
std::string wide(const std::string& settings) {
    return "format = 1\nlinks = [\"in -> bomb -> out\"]\n" + node("in", "input", "channels = [1, 2]") +
           node("out", "output", "channels = [1, 2]") + bomb(settings);
}

Sound ramps(int frames) {
    return mono(sine(frames, 100., scene_rate_hz, 0.3));
}

}  // namespace

TEST_CASE("quarantine gives the same finite bits in blocks of any size, for any fault in any place") {
    const std::string what = GENERATE("nan", "inf", "loud", "stuck_nan");
    const bool in_loop = GENERATE(false, true);
    INFO(what << (in_loop ? " in a loop" : " in a chain"));
    const std::string settings = fmt::format("at = {}\nevery = 9000\nwhat = \"{}\"", at, what);
    const std::string text = in_loop ? loop(settings) : chain(settings);
    const Sound in = mono(programme(36'000));
    EngineRig rig(text);
    const Sound reference = rig.run(in, {512});
    CHECK(rig.count(Kind::tripped) + rig.count(Kind::latched) == 3);
    CHECK(all_finite(reference));
    CHECK(peak(reference[0]) < 2.);
    for (const Partition partition : {Partition{1}, Partition{16}, Partition{64}, Partition::random(2)})
        CHECK(bit_difference(reference, play(text, in, partition)) == "");
}

TEST_CASE("the ceiling of a loop is that of the patch, exactly") {
    const auto trips = [](const std::string& settings, const std::string& head = "") {
        EngineRig rig(head + loop(settings));
        rig.run(ramps(24'000));
        return rig.count(Kind::tripped);
    };
    CHECK(trips("at = 10001\nwhat = \"over\"") == 1);
    CHECK(trips("at = 10001\nwhat = \"under\"") == 0);
    CHECK(trips("at = 10001\nwhat = \"over\"", "ceiling_dbfs = 30\n") == 0);
    CHECK(trips("at = 10001\nwhat = \"under\"", "ceiling_dbfs = 20\n") == 1);
}

TEST_CASE("the ceiling of a plain effect outside loops is +80 dBFS, exactly, whatever the patch says") {
    const auto trips = [](const std::string& what, const std::string& head = "") {
        EngineRig rig(patch("\"in -> bomb -> out\"", bomb("at = 10001\nwhat = \"" + what + "\""), head));
        rig.run(ramps(24'000));
        return rig.count(Kind::tripped);
    };
    CHECK(trips("over") == 0);
    CHECK(trips("over", "ceiling_dbfs = 10\n") == 0);
    CHECK(trips("hot") == 0);
    CHECK(trips("too_hot") == 1);
    CHECK(trips("too_hot", "ceiling_dbfs = 60\n") == 1);
    CHECK(trips("inf") == 1);
}

namespace {
std::vector<std::string> texts_of(const EngineRig& rig, Kind kind) {
    std::vector<std::string> texts;
    for (const EngineNews& news : rig.news())
        if (news.kind == kind) texts.push_back(news.text);
    return texts;
}
}  // namespace

TEST_CASE("a loop that grows by 1 dB a round trips, and the message names the loop") {
    EngineRig rig(patch("\"in -> tone -> out\", \"tone -> echo -> tone\"",
                        gain("tone", 1.) + node("echo", "delay", "delay_samples = 1000")));
    const Sound out = rig.run(ramps(96'000), {64});
    CHECK(all_finite(out));
    CHECK(rig.count(Kind::tripped) + rig.count(Kind::latched) >= 1);
    CHECK(
        texts_of(rig, Kind::tripped).front() ==
        "tone: it got louder than +24 dBFS, in a loop that grows (echo -> tone -> echo); turn the loop down; "
        "its input is heard instead until it is rebuilt");
}

TEST_CASE("a message says that silence is heard where a node has no dry sound") {
    // What circulates grows by the input with every round. The delay plays it before the gain does.
    EngineRig rig(patch("\"in -> echo -> out\", \"echo -> tone -> echo\"",
                        gain("tone", 0.) + node("echo", "delay", "delay_samples = 1000")));
    rig.run(mono(constant(24'000, 1.f)), {64});
    CHECK(
        texts_of(rig, Kind::tripped).front() ==
        "echo: it got louder than +24 dBFS, in a loop that grows (echo -> tone -> echo); turn the loop down; "
        "it is silent until it is rebuilt");
}

TEST_CASE("a node that trips again while it fades in is not said to be back") {
    EngineRig rig(chain(fmt::format("at = {}\nevery = 5000\nwhat = \"stuck_nan\"", at)));
    rig.run(ramps(60'000), {64});
    CHECK(rig.count(Kind::tripped) == 2);
    CHECK(texts_of(rig, Kind::latched) ==
          std::vector<std::string>{"bomb: its output was not a number for the third time in ten seconds; it "
                                   "stays bypassed until the patch changes"});
    CHECK(rig.count(Kind::returned) == 0);
}

TEST_CASE("in quarantine the input has the latency of the node") {
    const int latency = 300;
    EngineRig rig(chain(fmt::format("at = {}\nlatency = {}\nwhat = \"stuck_nan\"", at, latency)));
    CHECK(rig.engine().playing()->latency_samples == latency);
    const Sound in = ramps(30'000), out = rig.run(in, {64});
    // From the end of the ramp to the return: its input, `latency` samples earlier, to the bit.
    for (int k = at + ramp; k < at + back; ++k) REQUIRE(out[0][k] == in[0][k - latency]);
    // On the ramp it never differs from the sine by more than the sine moves in that time.
    const double slope = 0.3 * 2. * 3.1416 * 100. / scene_rate_hz;
    for (int k = at; k < at + ramp; ++k) REQUIRE(std::abs(out[0][k] - in[0][k - latency]) < slope * ramp);
    CHECK(rig.count(Kind::returned) == 1);
    // The bomb forgot its ring; cold, it would come back with silence. So it is warmed over its memory (the
    // latency).
    CHECK(max_difference(part(out[0], at + back, 30'000),
                         part(in[0], at + back - latency, 30'000 - latency)) < 1e-6);
}

TEST_CASE("one bad channel replaces both channels by the input, each by its own") {
    EngineRig rig(wide(fmt::format("at = {}\nonly = 2\nwhat = \"stuck_nan\"", at)));
    const Sound in = stereo(sine(24'000, 100., scene_rate_hz, 0.3), sine(24'000, 170., scene_rate_hz, 0.2));
    const Sound out = rig.run(in, {64});
    CHECK(all_finite(out));
    for (std::size_t c = 0; c < 2; ++c)
        CHECK(bit_difference(mono({in[c].begin() + at + ramp, in[c].end()}),
                             mono({out[c].begin() + at + ramp, out[c].end()})) == "");
    CHECK(rig.count(Kind::tripped) == 1);
}

TEST_CASE("a tripped node fades back in after 100 ms, at the very same sample in blocks of any size") {
    const int size = GENERATE(1, 64, 512);
    // In quarantine the input is heard, and the bomb sits behind a gain: the return is heard by that.
    EngineRig rig(patch("\"in -> bomb -> out\"", bomb(fmt::format("at = {}\nwhat = \"stuck_nan\"", at))));
    rig.run(ramps(24'000), {size});
    std::vector<std::uint64_t> stamps;
    for (const EngineNews& news : rig.news())
        if (news.kind == Kind::tripped || news.kind == Kind::started || news.kind == Kind::returned)
            stamps.push_back(news.stamp);
    CHECK(stamps == std::vector<std::uint64_t>{0, at, at + back, at + back + fade});
}

TEST_CASE("a node that trips during a fade is caught like any other") {
    // The bomb stays, leaves, or comes with the edit. It goes off in the middle of the fade.
    const std::string late = fmt::format("at = {}\nwhat = \"stuck_nan\"", at + 500);
    const auto with = [&](const std::string& first, const std::string& settings) {
        return patch("\"in -> a -> bomb -> out\"", first + bomb(settings));
    };
    struct Case {
        const char* name;
        std::string before, after;
        int trips;
    };
    const std::vector<Case> cases{
        {"a survivor", with(gain("a", -3.), late), with(node("a", "filter"), late), 1},
        {"one that leaves", with(gain("a", -3.), late), patch("\"in -> a -> out\"", gain("a", -3.)), 0},
        {"one that is replaced", with(gain("a", -3.), late), with(gain("a", -3.), "at = 1\nlatency = 1"), 0},
        {"a newcomer", patch("\"in -> a -> out\"", gain("a", -3.)), with(gain("a", -3.), late), 1},
    };
    const Sound in = mono(programme(30'000));
    for (const Case& edit : cases) {
        INFO(edit.name);
        const auto take = [&](Partition partition) {
            EngineRig rig(edit.before);
            rig.at(at, [&](EngineRig& r) { r.edit(edit.after); });
            Sound out = rig.run(in, partition);
            CHECK(rig.engine().counts().edits == 1);
            CHECK(rig.count(Kind::tripped) == edit.trips);
            CHECK(rig.count(Kind::returned) == edit.trips);
            return out;
        };
        const Sound reference = take({512});
        CHECK(all_finite(reference));
        for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(4)})
            CHECK(bit_difference(reference, take(partition)) == "");
    }
}

TEST_CASE("a newcomer that trips while it is warmed is refused, and what plays is not disturbed") {
    // Its past holds the sample at which it goes off.
    const std::string before = patch("\"in -> a -> out\"", gain("a", -3.)),
                      after = patch("\"in -> a -> bomb -> out\"",
                                    gain("a", -3.) + bomb("at = 9000\nmemory = 4800"));
    EngineRig rig(before);
    rig.at(10'000, [&](EngineRig& r) { r.edit(after); });
    const Sound in = mono(programme(30'000)), out = rig.run(in, {64});
    CHECK(bit_difference(play(before, in, {64}), out) == "");
    CHECK(rig.count(Kind::failed) == 1);
    CHECK(rig.engine().counts().failures == 1);
    CHECK(rig.engine().counts().edits == 0);
    CHECK(rig.engine().playing()->graph.node_index("bomb") < 0);

    // Later, with a clean past, the same edit is accepted.
    EngineRig later(before);
    later.at(10'000, [&](EngineRig& r) { r.edit(after); });
    later.at(25'000, [&](EngineRig& r) { r.edit(after); });
    later.run(in, {64});
    CHECK(later.engine().counts().edits == 1);
}

TEST_CASE("a node that its input drove bad comes back without hearing that input again") {
    // It is warmed on the past after its trip, not on the sound that made it trip.
    EngineRig rig(chain(fmt::format("at = {}\nmemory = 48000\nwhat = \"stuck_nan\"", at)));
    const Sound out = rig.run(mono(programme(30'000)), {64});
    CHECK(all_finite(out));
    CHECK(rig.count(Kind::tripped) == 1);
    CHECK(rig.count(Kind::returned) == 1);
    for (const EngineNews& news : rig.news())
        if (news.kind == Kind::started && !news.returned.empty()) {
            CHECK(news.warmed);
            CHECK(news.warm_from == at + 1);
        }
}

TEST_CASE("a latched node stays bypassed until an edit, which gives it a clean record") {
    const auto text = [](const std::string& more) {
        return patch("\"in -> a -> bomb -> out\"",
                     gain("a", -3.) + bomb("at = 10000\nevery = 20000\nwhat = \"stuck_nan\""), more);
    };
    EngineRig rig(text(""));
    rig.at(60'000, [&](EngineRig& r) { r.edit(text("name = \"again\"\n")); });
    const Sound in = mono(programme(140'000)), out = rig.run(in, {64});
    CHECK(all_finite(out));
    // 10,000, 30,000, 50,000: latched. Revived at 60,000: 70,000, 90,000, 110,000: latched again.
    CHECK(rig.count(Kind::tripped) == 4);
    CHECK(rig.count(Kind::latched) == 2);
    CHECK(rig.count(Kind::returned) == 4);
    std::vector<std::string> revived;
    for (const EngineNews& news : rig.news())
        if (news.kind == Kind::started && news.graph && !news.returned.empty()) revived = news.returned;
    CHECK(revived == std::vector<std::string>{"bomb"});
    // Latched, so dry: to the bit the output of the gain.
    const Sound dry = play(patch("\"in -> a -> out\"", gain("a", -3.)), in, {64});
    CHECK(bit_difference(cut(dry, 51'000, 60'000), cut(out, 51'000, 60'000)) == "");
    CHECK(bit_difference(cut(dry, 111'000), cut(out, 111'000)) == "");
}

TEST_CASE("trips more than ten seconds apart do not latch") {
    EngineRig rig(chain("at = 10000\nevery = 250000"));
    rig.run(mono(silence(780'000)), {512});
    CHECK(rig.count(Kind::tripped) == 4);
    CHECK(rig.count(Kind::latched) == 0);
}

TEST_CASE("a model replaced by an equal one does not pass on a state that tripped") {
    // The bomb's options are its content. An edit with another fade lets it survive, and one that makes it
    // wide builds it anew. Here the order is reversed, which copies states.
    const std::string stuck = fmt::format("at = {}\nwhat = \"stuck_nan\"", at);
    const auto order = [&](const std::string& links) { return patch(links, gain("a", -3.) + bomb(stuck)); };
    EngineRig rig(order("\"in -> a -> bomb -> out\""));
    rig.at(at + 1'000, [&](EngineRig& r) { r.edit(order("\"in -> bomb -> a -> out\"")); });
    const Sound out = rig.run(mono(programme(30'000)), {64});
    CHECK(all_finite(out));
    CHECK(rig.count(Kind::tripped) == 1);  // a copied state would trip again at once
    CHECK(rig.engine().counts().edits == 1);
}

TEST_CASE("bad samples from the interface never come out") {
    Sound in = mono(programme(60'000));
    in[0][at] = std::numeric_limits<float>::quiet_NaN();
    in[0][at + 20'000] = std::numeric_limits<float>::infinity();
    EngineRig rig(patch("\"in -> press -> out\"", node("press", "compressor")));
    const Sound out = rig.run(in, {64});
    CHECK(all_finite(out));
    CHECK(rig.count(Kind::tripped) == 0);  // `input` lets none in
    CHECK(rms_db(part(out[0], 50'000)) > -40.);
}

}  // namespace gainstage::test::quarantine_test
