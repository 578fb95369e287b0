/// Newcomers when not all of the past was kept: the player is told so.

#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"

namespace gainstage::test::past_test {

namespace {

const ModelFile& opto() {
    static const ModelFile parts = model_parts(source_dir() + "/models/opto-textbook.safetensors");
    return parts;
}

/// Models with a memory of 4,800 samples: newcomers are warmed on twice as many before they are heard.
struct Models {
    TemporaryFolder folder;
    std::string now = save(folder, "now.safetensors", remembering(opto(), 4'800));
    std::string next = save(folder, "next.safetensors", remembering(louder(opto(), -3.), 4'800));
};

std::string song(const std::string& model, const std::string& links) {
    return patch(links, grey_box("box", model) + node("cut", "filter", "mode = \"lowpass\""));
}

int notes(const EngineRig& rig, const std::string& part) {
    return static_cast<int>(std::count_if(rig.news().begin(), rig.news().end(), [&](const EngineNews& news) {
        return news.kind == EngineNews::Kind::note && news.text.find(part) != std::string::npos;
    }));
}

const std::string straight = R"("in -> cut -> box -> out")", turned = R"("in -> box -> cut -> out")";

}  // namespace

TEST_CASE("a second instance, made by reversing a chain, is replaced on as much of its past as there is") {
    const Models models;
    EngineRig rig(song(models.now, straight));
    rig.run(mono(programme(30'000)));
    rig.edit(song(models.now, turned));
    SECTION("soon, and reports it") {
        rig.run(mono(programme(6'000)));
        REQUIRE(notes(rig, "plays as a second instance") > 0);
        rig.edit(song(models.next, turned));
        CHECK(notes(rig, "box: warmed on the last 0.1") == 1);
        CHECK(notes(rig, "s instead of 0.20 s") == 1);
    }
    SECTION("later, when its past is long enough, without a report") {
        rig.run(mono(programme(60'000)));
        rig.edit(song(models.next, turned));
        CHECK(notes(rig, "warmed on the last") == 0);
    }
    rig.run(mono(programme(12'000)));
    CHECK(rig.engine().counts().failures == 0);
    CHECK(rig.count(EngineNews::Kind::finished) == 3);
}

TEST_CASE("a node that has heard all of a young stream is replaced without a report") {
    const Models models;
    EngineRig rig(song(models.now, straight));
    rig.run(mono(programme(3'000)));
    rig.edit(song(models.next, straight));
    rig.run(mono(programme(6'000)));
    CHECK(rig.engine().counts().swaps == 1);
    CHECK(notes(rig, "warmed on") == 0);
}

TEST_CASE("too many knob moves at once are missing from a newcomer's past, and this is reported") {
    const Models models;
    EngineRig rig(song(models.now, straight), {.queues = {.moves = 8'000}});
    rig.run(mono(programme(4'800)));
    Engine& engine = rig.engine();
    const GraphTarget knob = *find_target(engine.playing()->graph, "box.peak_reduction").target;
    const Channel in = programme(64);
    Channel out(64);
    const float* from = in.data();
    float* to = out.data();
    const auto turn = [&] {
        for (int k = 0; k < 4'000; ++k) REQUIRE(engine.set(knob, static_cast<float>(k % 100)));
        engine.room().process(&from, 1, &to, 1, 64);
    };
    for (int k = 0; k < 3; ++k) turn();  // 12,000 moves that nobody takes; the trail holds 8,191
    engine.tick();
    turn();  // these are in time again
    engine.tick();
    CHECK(rig.count(EngineNews::Kind::lost) == 0);
    rig.edit(song(models.next, straight));
    rig.run(mono(programme(9'600)));
    // A replay knows all moves: it is another take.
    REQUIRE(rig.count(EngineNews::Kind::lost) == 1);
    const auto lost = std::find_if(rig.news().begin(), rig.news().end(), [](const EngineNews& news) {
        return news.kind == EngineNews::Kind::lost;
    });
    CHECK(lost->loss.kind == Loss::Kind::moves);
    CHECK(lost->loss.count >= 12'000 - 8'191);
    CHECK(lost->loss.count < 12'000);
    CHECK(lost->loss.from < 4'800);
    CHECK(lost->loss.to > 4'800);
    CHECK(engine.counts().moves_lost == lost->loss.count);
    CHECK(engine.counts().swaps == 1);
    CHECK(engine.counts().failures == 0);
}

}  // namespace gainstage::test::past_test
