/// Scenes at work: who owns a knob, morphs, the pedal, edits, warming, takes.

#include <random>

#include "runtime/resolve/resolve.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/clicks.hpp"
#include "tests/support/heap.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
#include "tests/support/short_take.hpp"

namespace gainstage::test::scene_test {

namespace {

using Kind = EngineNews::Kind;

const std::string source = source_dir();

/// Three gains in series: "a" and "b" belong to the scenes, "hand" to nobody.
std::string three_gains(const std::string& scenes, const std::string& head = "") {
    return patch("\"in -> a -> b -> hand -> out\"",
                 gain("a", 0.) + gain("b", -1.) + gain("hand", -2.) + scenes, head);
}

const std::string two_scenes =
    "[scenes.verse]\na = { gain_db = -6.0 }\n[scenes.solo]\nmorph_ms = 400\nb = { gain_db = -12.0 }\n";

void choose(Engine& engine, const std::string& name, float ms = -1.f, std::uint64_t at = 0) {
    const FoundTarget found = find_scene(engine.playing()->graph, name);
    REQUIRE(found.target);
    REQUIRE(engine.set(*found.target, 0.f, ms, at));
}

/// Where a knob goes.
float knob(Engine& engine, const std::string& target) {
    return engine.value_of(*find_target(engine.playing()->graph, target).target).value();
}

double level_db(const Channel& sound, int frame) {
    return to_db(double{sound[frame]});
}

void send(EngineRig& rig, int status, int first, int second = -1) {
    MidiMessage message{.size = static_cast<std::uint8_t>(second < 0 ? 2 : 3), .bytes = {}};
    message.bytes = {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(first),
                     static_cast<std::uint8_t>(std::max(second, 0))};
    REQUIRE(rig.engine().post({.kind = EventKind::midi, .midi = message, .stamp = rig.now()}));
}

}  // namespace

TEST_CASE(
    "a scene sends the knobs that scenes own to its values or to [nodes], and leaves the hands' alone") {
    EngineRig rig(three_gains(two_scenes));
    const Sound in = mono(constant(4'800, 1.f));
    CHECK(level_db(rig.run(in)[0], 4'000) == Approx(-3.).margin(1e-3));
    CHECK(rig.engine().scene() == "");
    rig.set("hand.gain_db", -5.f);
    choose(rig.engine(), "verse");
    CHECK(level_db(rig.run(in)[0], 4'000) == Approx(-6. - 1. - 5.).margin(1e-3));
    CHECK(rig.engine().scene() == "verse");
    choose(rig.engine(), "solo", 0.f);
    CHECK(level_db(rig.run(in)[0], 4'000) == Approx(0. - 12. - 5.).margin(1e-3));
    CHECK(rig.engine().scene() == "solo");
    CHECK(knob(rig.engine(), "a.gain_db") == 0.f);
    CHECK(knob(rig.engine(), "b.gain_db") == -12.f);
    CHECK(knob(rig.engine(), "hand.gain_db") == -5.f);
}

TEST_CASE("the order in which scenes were visited never matters") {
    const Sound in = mono(constant(48'000, 1.f));
    EngineRig straight(three_gains(two_scenes)), around(three_gains(two_scenes));
    choose(straight.engine(), "solo", 0.f, 20'000);
    for (int k = 0; k < 15; ++k)
        choose(around.engine(), k % 2 ? "solo" : "verse", -1.f, static_cast<std::uint64_t>(100 + 97 * k));
    around.set_at(5'000, "a.gain_db", -20.f);  // a hand may move a scene's knob, until the next scene
    choose(around.engine(), "solo", 0.f, 20'000);
    const Channel a = straight.run(in)[0], b = around.run(in)[0];
    CHECK(bit_difference(mono({a.begin() + 20'000, a.end()}), mono({b.begin() + 20'000, b.end()})) == "");
}

TEST_CASE("a scene takes effect at its very sample") {
    EngineRig rig(three_gains(two_scenes));
    choose(rig.engine(), "verse", 0.f, 1'234);
    const Channel out = rig.run(mono(constant(4'000, 1.f)))[0];
    CHECK(level_db(out, 1'233) == Approx(-3.).margin(1e-3));
    CHECK(level_db(out, 1'234) == Approx(-9.).margin(1e-3));
    REQUIRE(rig.count(Kind::event) == 1);
    for (const EngineNews& news : rig.news())
        if (news.kind == Kind::event) {
            CHECK(news.stamp == 1'234);
            CHECK(news.event.kind == EventKind::scene);
            CHECK(news.parameter == "verse");
        }
}

TEST_CASE("a morph goes straight in decibels and by ratios in hertz, one ramp from where the knobs are") {
    const std::string text =
        patch("\"in -> a -> tone -> out\"", gain("a", 0.) + node("tone", "filter", "cutoff_hz = 100.0") +
                                                "[scenes.far]\nmorph_ms = 1000\na = { gain_db = -40.0 }\n"
                                                "tone = { cutoff_hz = 10000.0, bypass = true }\n");
    EngineRig rig(text);
    choose(rig.engine(), "far", -1.f, 4'800);
    rig.run(mono(constant(4'800 + 24'000, 0.f)));
    const Arrangement& playing = *rig.engine().playing();
    const Slot &a = *playing.slots[playing.graph.node_index("a")],
               &tone = *playing.slots[playing.graph.node_index("tone")];
    CHECK(a.ramps[0].at(rig.now()) == Approx(-20.f).epsilon(1e-4));
    CHECK(tone.ramps[0].at(rig.now()) == Approx(1'000.f).epsilon(1e-4));
    CHECK(tone.ramps[0].by_ratio);
    // Bypass changes at the start, by its own short fade.
    CHECK(tone.ramps[tone.param_of(Slot::bypass)].length == 960);
    CHECK(tone.ramps[tone.param_of(Slot::bypass)].start == 4'800);
    // A second scene during the morph.
    choose(rig.engine(), "far", 500.f, rig.now());
    rig.run(mono(constant(12'000, 0.f)));
    CHECK(a.ramps[0].from == Approx(-20.f).epsilon(1e-4));
    CHECK(a.ramps[0].at(rig.now()) == Approx(-30.f).epsilon(1e-4));
    CHECK(tone.ramps[0].at(rig.now()) == Approx(std::sqrt(1e3 * 1e4)).epsilon(1e-3));
}

TEST_CASE("a knob that rests where the scene wants it is not moved") {
    EngineRig rig(three_gains(two_scenes));
    choose(rig.engine(), "verse");
    rig.run(mono(constant(4'800, 1.f)));
    const Arrangement& playing = *rig.engine().playing();
    const Ramp before = playing.slots[playing.graph.node_index("a")]->ramps[0];
    choose(rig.engine(), "verse");
    rig.run(mono(constant(4'800, 1.f)));
    CHECK(playing.slots[playing.graph.node_index("a")]->ramps[0].start == before.start);
}

TEST_CASE("a patch begins with its scene, at once, and a render with another") {
    EngineRig rig(three_gains(two_scenes, "start = \"solo\"\n"));
    const Channel out = rig.run(mono(constant(4'800, 1.f)))[0];
    CHECK(level_db(out, 0) == Approx(0. - 12. - 2.).margin(1e-3));
    CHECK(level_db(out, 4'799) == level_db(out, 0));
    CHECK(rig.engine().scene() == "solo");
    CHECK(knob(rig.engine(), "b.gain_db") == -12.f);

    PatchLoader loader(nodes_for_tests(), 48'000.);
    OfflineStream stream({.sample_rate_hz = 48'000.}, loader);
    Graph graph = graph_of(three_gains(two_scenes, "start = \"solo\"\n"));
    begin_with(graph, 0);
    REQUIRE(stream.start(std::move(graph)).empty());
    CHECK(stream.engine().scene() == "");  // nothing has played yet
    const Channel in = constant(4'800, 1.f);
    Channel first(4'800);
    const float* from = in.data();
    float* to = first.data();
    stream.process(&from, 1, &to, 1, 4'800);
    CHECK(level_db(first, 0) == Approx(-6. - 1. - 2.).margin(1e-3));
    CHECK(stream.engine().scene() == "verse");
}

TEST_CASE("next and previous go around, from the first or the last where no scene was chosen") {
    const std::string text = three_gains("[scenes.x]\n[scenes.y]\n[scenes.z]\na = { gain_db = -1 }\n");
    EngineRig rig(text);
    std::string visited;
    for (const char* step : {"next", "next", "next", "next", "previous", "previous"}) {
        choose(rig.engine(), step);
        rig.run(mono(constant(64, 0.f)));
        visited += rig.engine().scene();
    }
    CHECK(visited == "xyzxzy");
    EngineRig other(text);
    choose(other.engine(), "previous");
    other.run(mono(constant(64, 0.f)));
    CHECK(other.engine().scene() == "z");
}

TEST_CASE("of two scenes at one sample the later one counts, and both are told") {
    EngineRig rig(three_gains(two_scenes));
    choose(rig.engine(), "solo", 0.f, 500);
    choose(rig.engine(), "verse", 0.f, 500);
    const Channel out = rig.run(mono(constant(2'000, 1.f)))[0];
    CHECK(level_db(out, 500) == Approx(-9.).margin(1e-3));
    CHECK(rig.count(Kind::event) == 2);
    CHECK(rig.engine().scene() == "verse");
}

// ------------------------ MIDI

namespace {

const std::string foot =
    "[[midi]]\nprogram = true\ntarget = \"scene\"\n"
    "[[midi]]\nnote = 36\nmode = \"trigger\"\ntarget = \"scene.solo\"\n"
    "[[midi]]\nnote = 37\ntarget = \"scene.next\"\n"
    "[[midi]]\ncc = 11\ntarget = \"morph\"\nfrom = \"verse\"\nto = \"solo\"\n"
    "[[midi]]\ncc = 21\ntarget = \"a.gain_db\"\nmin = -12.7\nmax = 0.0\n";

}  // namespace

TEST_CASE("program changes, notes and a pedal choose scenes, and each is told once") {
    EngineRig rig(three_gains(two_scenes + foot));
    const Sound little = mono(constant(2'400, 1.f));
    const auto after_sending = [&](int status, int first, int second = -1) {
        send(rig, status, first, second);
        rig.run(little);
        return rig.engine().scene();
    };
    CHECK(after_sending(0xC0, 1) == "solo");
    CHECK(after_sending(0xC3, 0) == "verse");
    CHECK(after_sending(0xC0, 2) == "verse");  // there is no third
    CHECK(after_sending(0x90, 36, 9) == "solo");
    CHECK(after_sending(0x90, 37, 9) == "verse");
    CHECK(after_sending(0xB0, 11, 60) == "verse");  // the pedal is not where the scene is
    CHECK(after_sending(0xB0, 11, 0) == "verse > solo 0 %");
    CHECK(after_sending(0xB0, 11, 51) == "verse > solo 40 %");
    CHECK(knob(rig.engine(), "a.gain_db") == Approx(-6. * (1. - 51. / 127.)).epsilon(1e-5));
    CHECK(knob(rig.engine(), "b.gain_db") == Approx(-1. - 11. * 51. / 127.).epsilon(1e-5));
    CHECK(after_sending(0xB0, 11, 127) == "verse > solo 100 %");
    CHECK(knob(rig.engine(), "b.gain_db") == -12.f);
    CHECK(after_sending(0xC0, 0) == "verse");
    CHECK(after_sending(0xB0, 11, 90) == "verse");
    int scenes = 0;
    for (const EngineNews& news : rig.news())
        if (news.kind == Kind::event && news.event.kind == EventKind::scene) {
            ++scenes;
            CHECK(news.event.by_midi);
        }
    CHECK(scenes == 5);
}

TEST_CASE("a scene sets the pick-up of its knobs' controllers anew") {
    EngineRig rig(three_gains(two_scenes + foot));
    const Sound little = mono(constant(2'400, 1.f));
    const auto turn = [&](int value) {
        send(rig, 0xB0, 21, value);
        rig.run(little);
        return knob(rig.engine(), "a.gain_db");
    };
    CHECK(turn(127) == 0.f);  // picks it up where it stands
    CHECK(turn(100) == Approx(-2.7).epsilon(1e-4));
    choose(rig.engine(), "verse");
    rig.run(little);
    CHECK(turn(101) == -6.f);  // waits
    CHECK(turn(67) == Approx(-6.).epsilon(1e-4));
    CHECK(turn(60) == Approx(-6.7).epsilon(1e-4));
}

TEST_CASE("switches take the second scene's place from half way up, and give it back 5 % below") {
    const std::string text = patch(
        "\"in -> a -> out\"", gain("a", 0.) + "[scenes.verse]\n[scenes.solo]\na = { mute = true }\n" + foot);
    EngineRig rig(
        text.substr(0, text.find("[[midi]]\nnote = 37")) +
        "[[midi]]\ncc = 11\ntakeover = \"jump\"\ntarget = \"morph\"\nfrom = \"verse\"\nto = \"solo\"\n");
    const auto muted_at = [&](int value) {
        send(rig, 0xB0, 11, value);
        rig.run(mono(constant(1'200, 1.f)));
        return knob(rig.engine(), "a.mute") > 0.5f;
    };
    CHECK_FALSE(muted_at(63));
    CHECK(muted_at(64));
    CHECK(muted_at(60));
    CHECK(muted_at(58));
    CHECK_FALSE(muted_at(57));  // below 45 %
    CHECK_FALSE(muted_at(63));
    CHECK(muted_at(127));
}

// ------------------------ edits

TEST_CASE("an edit moves what the playing scene says otherwise now, and nothing else") {
    const Sound in = mono(constant(9'600, 1.f));
    const auto level_after = [&](const std::string& scene, const std::string& before,
                                 const std::string& after) {
        EngineRig rig(three_gains(before));
        if (!scene.empty()) choose(rig.engine(), scene, 0.f);
        rig.run(in);
        rig.edit(three_gains(after));
        const double level = level_db(rig.run(in)[0], 9'000);
        REQUIRE(rig.engine().counts().edits == 1);
        return std::pair(std::round(level * 100.) / 100., rig.engine().scene());
    };
    const auto verse = [](double db) { return fmt::format("[scenes.verse]\na = {{ gain_db = {} }}\n", db); };
    const auto solo = [](double db) { return fmt::format("[scenes.solo]\nb = {{ gain_db = {} }}\n", db); };
    using Found = std::pair<double, std::string>;
    // Another value in the scene that plays, and in one that doesn't.
    CHECK(level_after("verse", verse(-6.) + solo(-12.), verse(-9.) + solo(-12.)) == Found(-12., "verse"));
    CHECK(level_after("verse", verse(-6.) + solo(-12.), verse(-6.) + solo(-20.)) == Found(-9., "verse"));
    // Scenes in another order, renamed, gone: what plays plays on.
    CHECK(level_after("solo", verse(-6.) + solo(-12.), solo(-12.) + verse(-6.)) == Found(-14., "solo"));
    CHECK(level_after("verse", verse(-6.), solo(-12.)) == Found(-9., ""));
    CHECK(level_after("verse", verse(-6.), "") == Found(-9., ""));
    EngineRig renamed(three_gains(verse(-6.)));
    choose(renamed.engine(), "verse");
    renamed.run(in);
    renamed.edit(three_gains(solo(-12.)));
    renamed.run(in);
    REQUIRE(renamed.count(Kind::note) == 1);
    for (const EngineNews& news : renamed.news())
        if (news.kind == Kind::note) CHECK(news.text.find("the scene that plays (verse) is gone") == 0);
    // A knob that the scene names newly, or no more.
    CHECK(level_after("verse", verse(-6.), verse(-6.) + "b = { gain_db = -8.0 }\n") == Found(-16., "verse"));
    CHECK(level_after("verse", verse(-6.), "[scenes.verse]\n") == Found(-3., "verse"));
    // The first scenes of a patch: it goes on without one, whatever it begins with.
    CHECK(level_after("", "", verse(-6.)) == Found(-3., ""));
}

TEST_CASE("an edit under the pedal keeps to the pedal's place") {
    const auto text = [](double db) {
        return three_gains(fmt::format("[scenes.verse]\n[scenes.solo]\na = {{ gain_db = {} }}\n", db) + foot);
    };
    EngineRig rig(text(-10.));
    choose(rig.engine(), "verse");
    rig.run(mono(constant(2'400, 1.f)));
    for (const int value : {0, 127}) send(rig, 0xB0, 11, value);
    rig.run(mono(constant(2'400, 1.f)));
    REQUIRE(rig.engine().scene() == "verse > solo 100 %");
    rig.edit(text(-20.));
    rig.run(mono(constant(9'600, 1.f)));
    CHECK(rig.engine().scene() == "verse > solo 100 %");
    CHECK(knob(rig.engine(), "a.gain_db") == -20.f);
    send(rig, 0xB0, 11, 0);
    rig.run(mono(constant(2'400, 1.f)));
    CHECK(knob(rig.engine(), "a.gain_db") == 0.f);
}

TEST_CASE("a node that an edit brings stands where the playing scene wants it") {
    const std::string scenes = "[scenes.verse]\n[scenes.solo]\na = { gain_db = -6.0 }\n";
    EngineRig rig(three_gains(scenes));
    choose(rig.engine(), "solo", 0.f);
    rig.run(mono(constant(4'800, 1.f)));
    rig.edit(patch("\"in -> a -> b -> new -> hand -> out\"", gain("a", 0.) + gain("b", -1.) +
                                                                 gain("hand", -2.) + gain("new", 0.) +
                                                                 scenes + "new = { gain_db = -30.0 }\n"));
    const Channel out = rig.run(mono(constant(9'600, 1.f)))[0];
    CHECK(level_db(out, 9'000) == Approx(-39.).margin(1e-3));
    CHECK(knob(rig.engine(), "new.gain_db") == -30.f);
    const double lowest = *std::min_element(out.begin(), out.end());
    CHECK(to_db(lowest) == Approx(-39.).margin(1e-2));
}

TEST_CASE("an event for a scene that an edit took away does nothing") {
    EngineRig rig(three_gains(two_scenes));
    choose(rig.engine(), "solo", 0.f, 30'000);
    rig.run(mono(constant(4'800, 1.f)));
    rig.edit(three_gains("[scenes.verse]\na = { gain_db = -6.0 }\n"));
    const Channel out = rig.run(mono(constant(48'000, 1.f)))[0];
    CHECK(level_db(out, 47'000) == Approx(-3.).margin(1e-3));
    CHECK(rig.count(Kind::event) == 0);
}

// ------------------------ any partition, warming, takes

namespace {

/// A model and a filter under scenes, with every way to choose them.
std::string stage_patch(const std::string& model, double cutoff = 300., const std::string& links = "") {
    return patch("\"in -> box -> tone -> bomb -> a -> out\"" + links,
                 grey_box("box", model) + node("tone", "filter", fmt::format("cutoff_hz = {:.1f}", cutoff)) +
                     node("bomb", "bomb", "at = 40001\nwhat = \"stuck_nan\"") + gain("a", -3.) +
                     "[scenes.verse]\nbox = { peak_reduction = 30.0 }\n"
                     "[scenes.solo]\nmorph_ms = 300\nbox = { peak_reduction = 70.0 }\n"
                     "tone = { cutoff_hz = 9000.0 }\nbomb = { bypass = true }\n"
                     "[scenes.end]\nmorph_ms = 0\na = { gain_db = -9.0 }\n" +
                     foot,
                 "start = \"verse\"\n");
}

void visit(EngineRig& rig, const std::string& other) {
    static const char* const names[] = {"solo", "verse", "end", "next", "previous"};
    for (int k = 0; k < 40; ++k) {
        const auto at = static_cast<std::uint64_t>(1'000 + 1'777 * k);
        if (k % 3 == 0)
            rig.at(at, [k](EngineRig& r) { choose(r.engine(), names[k % 5], k % 2 ? 33.f : -1.f); });
        else
            rig.at(at, [k](EngineRig& r) {
                k % 3 == 1 ? send(r, 0xC0, k % 4) : send(r, 0xB0, 11, k * 29 % 128);
            });
    }
    rig.at(52'345, [other](EngineRig& r) { r.edit_now(other); });
}

}  // namespace

TEST_CASE("scenes, pedal, edit and quarantine give the same bits in blocks of any size") {
    const TemporaryFolder folder;
    const std::string model =
        save(folder, "box.safetensors", model_parts(source + "/models/opto-textbook.safetensors"));
    const Sound in = mono(programme(80'000));
    Sound first;
    for (const Partition partition :
         {Partition{512}, Partition{64}, Partition::random(9), Partition::random(11, 100)}) {
        EngineRig rig(stage_patch(model));
        visit(rig, stage_patch(model, 500.));
        const Sound out = rig.run(in, partition);
        CHECK(rig.engine().counts().trips >= 1);
        CHECK(rig.engine().counts().edits == 1);
        if (first.empty())
            first = out;
        else
            CHECK(bit_difference(first, out) == "");
    }
}

TEST_CASE("a model that is swapped for an equal one during scenes changes nothing that is heard") {
    // The newcomer is warmed on the past, with the knobs as the scenes have moved them.
    const TemporaryFolder folder;
    const ModelFile opto = model_parts(source + "/models/opto-textbook.safetensors");
    const std::string one = save(folder, "one.safetensors", remembering(opto, 240'000)),
                      two = save(folder, "two.safetensors", remembering(opto, 240'001));
    const auto text = [](const std::string& model) {
        return patch("\"in -> box -> out\"",
                     grey_box("box", model) +
                         "[scenes.verse]\nbox = { peak_reduction = 20.0 }\n"
                         "[scenes.solo]\nmorph_ms = 500\nbox = { peak_reduction = 80.0 }\n" +
                         "[[midi]]\ncc = 11\ntakeover = \"jump\"\ntarget = \"morph\"\nfrom = \"verse\"\nto = "
                         "\"solo\"\n");
    };
    const Sound in = mono(programme(144'000));
    const auto played = [&](bool swap) {
        EngineRig rig(text(one));
        for (int k = 0; k < 60; ++k)
            rig.at(static_cast<std::uint64_t>(2'000 + 2'300 * k), [k](EngineRig& r) {
                k % 4 == 3 ? send(r, 0xB0, 11, k * 37 % 128) : choose(r.engine(), k % 2 ? "solo" : "verse");
            });
        if (swap)
            for (int k = 0; k < 4; ++k)
                rig.at(static_cast<std::uint64_t>(50'000 + 20'000 * k),
                       [&, k](EngineRig& r) { r.edit(text(k % 2 ? one : two)); });
        Sound out = rig.run(in);
        REQUIRE(rig.engine().counts().swaps == (swap ? 4 : 0));
        return out;
    };
    CHECK(max_difference(played(false)[0], played(true)[0]) < 1e-5);
}

TEST_CASE("a take of scenes, morphs, pedals, edits and a quarantine equals its replay to the bit") {
    const TemporaryFolder folder;
    const std::string model =
        save(folder, "box.safetensors", model_parts(source + "/models/opto-textbook.safetensors"));
    ShortTake take(stage_patch(model));
    for (int k = 0; k < 1'500; ++k) {
        if (k % 37 == 5) choose(take.engine(), k % 2 ? "solo" : "verse", k % 3 ? -1.f : 20.f);
        if (k % 41 == 7) choose(take.engine(), "next");
        if (k % 5 == 0) take.cc(11, k * 3 % 128, k % 64);
        if (k % 90 == 11)
            REQUIRE(take.engine().room().midi_queue(0).push({.message = {.size = 2, .bytes = {0xC0, 2}}}));
        if (k == 700) take.order(stage_patch(model, 700., ", \"in -> side -> out\"") + gain("side", -30.));
        if (k == 1'100) take.order(stage_patch(model, 900.));
        take.turns(1);
    }
    CHECK(take.engine().counts().edits == 2);
    CHECK(take.engine().counts().trips >= 1);
    std::ifstream log(take.log());
    int scenes = 0, heads = 0;
    for (std::string line; std::getline(log, line);) {
        scenes += line.find("\"scene\":") != std::string::npos && line.find("\"play\"") == std::string::npos;
        heads += line.find("\"gainstage_log\":2") != std::string::npos;
    }
    CHECK(heads == 1);
    CHECK(scenes == 41 + 37);  // not those that a message chose: it has a line
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("a log of format 1 is read as before, and knows no scenes") {
    const TemporaryFolder folder;
    const auto read = [&](int format, const std::string& line) {
        std::ofstream(folder.file("t.log"))
            << fmt::format("{{\"gainstage_log\":{},\"sample_rate_hz\":48000}}\n", format)
            << "{\"at\":0,\"play\":{\"file\":\"p.toml\",\"text\":\"format = 1\",\"models\":{}}}\n"
            << line << "\n";
        return read_take(folder.file("t.log"));
    };
    const auto refusal = [&](int format, const std::string& line) -> std::string {
        try {
            read(format, line);
        } catch (const TakeError& error) {
            return error.what();
        }
        return "";
    };
    CHECK(read(1, "{\"at\":7,\"panic\":true}").events.size() == 1);
    CHECK(refusal(1, "{\"at\":7,\"scene\":\"solo\"}").find("expected one of play") != std::string::npos);
    const Take take = read(2, "{\"at\":7,\"scene\":\"solo\",\"morph_ms\":40}");
    REQUIRE(take.events.size() == 1);
    CHECK(take.events[0].parameter == "solo");
    CHECK(take.events[0].event.smooth_ms == 40.f);
    CHECK(take.events[0].event.kind == EventKind::scene);
    CHECK(refusal(3, "").find("not a log of Gainstage") != std::string::npos);
    CHECK(refusal(2, "{\"at\":7,\"scene\":3}").find("scene: expected a text") != std::string::npos);
    CHECK(refusal(2, "{\"at\":7,\"scene\":\"x\",\"morph_ms\":-1}").find("morph_ms: expected") !=
          std::string::npos);
}

TEST_CASE("a thousand random scenes, morphs and places of the pedal in a row: no click") {
    EngineRig rig(
        three_gains(two_scenes + "[scenes.cut]\na = { bypass = true }\nb = { mute = true }\n" + foot));
    const char* const names[] = {"verse", "solo", "cut", "next", "previous"};
    std::mt19937 random(5);
    std::uint64_t at = 9'600;
    for (int k = 0; k < 1'000; ++k, at += 10 + random() % 900)
        rig.at(at, [&](EngineRig& r) {
            const auto dice = random();
            if (dice % 4 == 0) return send(r, 0xB0, 11, static_cast<int>(dice / 4 % 128));
            choose(r.engine(), names[dice / 4 % 5],
                   dice % 3 ? -1.f : static_cast<float>(20 + dice / 64 % 200));
        });
    const Channel out = rig.run(mono(sine(static_cast<int>(at) + 9'600, 1'000., 48'000., 0.5)))[0];
    const ClickSearch search{.steady = max_second_difference(part(out, 0, 9'600)),
                             .change = max_second_difference(part(out, 9'600))};
    INFO(search.steady << " " << search.change);
    CHECK_FALSE(search.found());
    CHECK(rms(part(out, 9'600)) > 0.01);
}

TEST_CASE("a take of a thousand random scenes equals its replay to the bit") {
    const TemporaryFolder folder;
    const std::string model =
        save(folder, "box.safetensors", model_parts(source + "/models/opto-textbook.safetensors"));
    ShortTake take(stage_patch(model));
    const char* const names[] = {"verse", "solo", "end", "next", "previous"};
    std::mt19937 random(7);
    for (int k = 0; k < 1'000; ++k) {
        const auto dice = random();
        choose(take.engine(), names[dice % 5], dice % 7 ? -1.f : static_cast<float>(dice / 64 % 300));
        if (dice % 11 == 0) take.cc(11, static_cast<int>(dice / 11 % 128), 5);
        if (k % 250 == 249) take.order(stage_patch(model, 200. + k));
        take.turns(1 + static_cast<int>(dice / 128 % 4));
    }
    CHECK(take.engine().counts().edits == 4);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("a thousand scenes a second of two hundred knobs: none is lost, memory is flat") {
    std::string links = "\"in", nodes, sparse, full;
    for (int k = 0; k < 200; ++k) {
        links += fmt::format(" -> g{}", k);
        nodes += gain(fmt::format("g{}", k), 0.);
        full += fmt::format("g{} = {{ gain_db = {} }}\n", k, k % 2 ? 0.1 : -0.1);
        if (k % 7 == 0) sparse += fmt::format("g{} = {{ gain_db = 0.05 }}\n", k);
    }
    const auto config = EngineRig::Config{.max_frames = 64, .queues = {.moves = 20'000, .log = 4'096}};
    EngineRig rig(patch(links + " -> out\"",
                        nodes + "[scenes.full]\n" + full + "[scenes.sparse]\nmorph_ms = 5\n" + sparse),
                  config);
    const Channel second = constant(48'000, 0.5f);
    std::size_t before = 0;
    std::uint64_t chosen = 0, moves = rig.engine().room().trail().count();
    for (int s = 0; s < 6; ++s) {
        for (int k = 0; k < 1'000; ++k, ++chosen)
            rig.at(rig.now() + static_cast<std::uint64_t>(48 * k),
                   [k](EngineRig& r) { choose(r.engine(), k % 2 ? "full" : "sparse"); });
        rig.run(mono(second), {64});
        if (s == 1) before = heap_in_use();
    }
    CHECK(rig.engine().room().stats().events_lost == 0);
    CHECK(rig.engine().room().reports_lost() == 0);
    CHECK(rig.engine().counts().moves_lost == 0);
    CHECK(static_cast<std::uint64_t>(rig.count(Kind::event)) == chosen);
    CHECK(rig.engine().room().trail().count() - moves == chosen);  // one entry for 200 knobs
    const double grown = static_cast<double>(heap_in_use()) - static_cast<double>(before);
    INFO(grown);  // the history of knobs holds 16 s, and the rig keeps every report
    CHECK(grown < 4'000. * 600.);
}

TEST_CASE("a patch of a thousand scenes plays every one of them") {
    std::string scenes;
    for (int s = 0; s < 1'000; ++s)
        scenes += fmt::format("[scenes.s{}]\na = {{ gain_db = {} }}\n", s, -0.01 * s);
    EngineRig rig(three_gains(scenes));
    for (const int s : {0, 1, 499, 998, 999}) {
        choose(rig.engine(), fmt::format("s{}", s), 0.f);
        rig.run(mono(constant(64, 1.f)));
        CHECK(rig.engine().scene() == fmt::format("s{}", s));
        CHECK(knob(rig.engine(), "a.gain_db") == Approx(-0.01 * s).margin(1e-4));
    }
}

TEST_CASE("knobs of a node in quarantine move with the scene, and it comes back with them") {
    const std::string text = patch("\"in -> a -> bomb -> b -> out\"",
                                   gain("a", 0.) + node("bomb", "bomb", "at = 1000\nwhat = \"stuck_nan\"") +
                                       gain("b", 0.) + "[scenes.quiet]\nbomb = { mute = true }\n");
    EngineRig rig(text);
    choose(rig.engine(), "quiet", 0.f, 2'000);
    const Channel out = rig.run(mono(constant(24'000, 0.5f)))[0];
    CHECK(rig.engine().counts().trips == 1);
    CHECK(rig.count(Kind::returned) == 1);
    CHECK(peak(part(out, 3'200)) == 0.);
}

}  // namespace gainstage::test::scene_test
