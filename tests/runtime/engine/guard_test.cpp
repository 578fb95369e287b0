/// The guard at the outputs, in a whole engine: what is heard, and what is told.

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::guard_test {

namespace {

using Kind = EngineNews::Kind;

/// `in` through one node to `out`, whose guard is as it is where a patch says nothing.
std::string guarded(const std::string& middle, const std::string& out = "") {
    return "format = 1\nlinks = [\"in -> n -> out\"]\n" + node("in", "input", "channels = [1]") +
           node("out", "output", "channels = [1, 2]\n" + out) + middle;
}

std::vector<EngineNews> told(const EngineRig& rig, Kind kind) {
    std::vector<EngineNews> found;
    for (const EngineNews& news : rig.news())
        if (news.kind == kind) found.push_back(news);
    return found;
}

constexpr int rate = 48'000;

}  // namespace

TEST_CASE("guard: what is too loud is held at 0 dBFS, and told once a second at most") {
    EngineRig rig(guarded(gain("n", 20.)));
    const Sound in = mono(programme(3 * rate + rate / 2)), out = rig.run(in, {64});
    for (const Channel& channel : out) CHECK(peak(channel) <= 1.);
    const std::vector<EngineNews> news = told(rig, Kind::guarded);
    CHECK(news.size() >= 3);
    CHECK(news.size() <= 4);
    for (std::size_t i = 0; i < news.size(); ++i) {
        CHECK(news[i].node == "out");
        CHECK(news[i].text.starts_with("out: its sound rose to "));
        if (i > 0) CHECK(news[i].stamp > news[i - 1].stamp);
    }
    REQUIRE(rig.engine().guarded().size() == 1);
    CHECK(rig.engine().guarded()[0].first == news[0].stamp);
    CHECK(rig.engine().guarded()[0].softened_s > 2.);
    CHECK(rig.count(Kind::tripped) == 0);
}

TEST_CASE("guard: one report tells of a single peak, with its sample and its level") {
    EngineRig rig(guarded(gain("n", 0.)));
    Sound in = mono(programme(2 * rate));
    for (float& x : in[0]) x *= 0.5f;
    in[0][30'000] = 2.f;
    rig.run(in, Partition::random(3));
    const std::vector<EngineNews> news = told(rig, Kind::guarded);
    REQUIRE(news.size() == 1);
    CHECK(news[0].stamp == 30'000);
    CHECK(news[0].text ==
          "out: its sound rose to 6.0 dB above 0 dBFS and was turned down; less gain, or a limiter in front "
          "of it, keeps the level steady");
}

TEST_CASE("guard: guard = \"off\" lets everything out and tells nothing") {
    EngineRig rig(guarded(gain("n", 20.), "guard = \"off\""));
    CHECK(peak(rig.run(mono(programme(rate)), {64})[0]) > 2.);
    CHECK(told(rig, Kind::guarded).empty());
}

TEST_CASE("guard: the same bits in blocks of any size, through an edit that brings another output") {
    const Sound in = mono(programme(2 * rate));
    const auto take = [&](Partition partition) {
        EngineRig rig(guarded(gain("n", 20.)));
        rig.at(40'000, [](EngineRig& r) { r.edit_now(guarded(gain("n", 14.))); });
        rig.at(60'000, [](EngineRig& r) {
            r.edit_now("format = 1\nlinks = [\"in -> n -> out\"]\n" + node("in", "input", "channels = [1]") +
                       node("out", "output", "channels = [2]") + gain("n", 14.));
        });
        return rig.run(in, partition);
    };
    const Sound reference = take({512});
    for (const Partition partition : {Partition{1}, Partition{64}, Partition::random(4)})
        CHECK(bit_difference(reference, take(partition)) == "");
}

TEST_CASE("guard: an offset that stays is told by name, once") {
    EngineRig rig(guarded(gain("n", 0.)));
    rig.run(mono(constant(5 * rate, 0.1f)), {64});
    const std::vector<EngineNews> news = told(rig, Kind::note);
    REQUIRE(news.size() == 2);  // of either channel
    CHECK(news[0].node == "out");
    CHECK(
        news[0].text ==
        "out: an offset (DC) of -20.0 dBFS has been on device channel 1 for 2 s; a node of type dc_block in "
        "front of it takes it away");
}

TEST_CASE("guard: loud knobs of plain effects are no fault; the guard keeps the ears safe") {
    const Sound in = mono(sine(3 * rate, 1'000., rate, 0.891));
    for (const std::string& loud :
         {node("n", "filter", "mode = \"lowpass\"\ncutoff_hz = 1000.0\nq = 20.0"),
          node("n", "filter", "mode = \"bell\"\ncutoff_hz = 1000.0\ngain_db = 24.0"),
          node("n", "compressor", "makeup_db = 24.0\nthreshold_db = 0.0"),
          node("n", "saturate", "output_db = 24.0\ndrive_db = 48.0"), node("n", "dc_block")}) {
        INFO(loud);
        EngineRig rig(guarded(loud));
        const Sound out = rig.run(in, {64});
        CHECK(rig.count(Kind::tripped) + rig.count(Kind::latched) == 0);
        CHECK(all_finite(out));
        CHECK(peak(out[0]) <= 1.);
        CHECK(rms_db(part(out[0], 2 * rate)) > -10.);
    }
}

}  // namespace gainstage::test::guard_test
