// [scenes.NAME] tables as they are written.

#include "runtime/patch/read_patch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problem_text.hpp"

namespace gainstage::test::read_scenes_test {
namespace {

ReadPatch read(const std::string& text) {
    return read_patch_text("format = 1\n" + text, "p.toml", "");
}

std::string complaints(const std::string& text) {
    return lines(read(text).problems);
}

TEST_CASE("scenes: they are read in the file's order, each node with its settings and their places") {
    const ReadPatch whole = read(
        "start = \"verse\"\n"
        "[scenes.verse]\nopto = { peak_reduction = 35.0, bypass = true }\n"
        "[scenes.solo]\nmorph_ms = 400\nlead = { gain_db = 4 }\nopto.peak_reduction = 60\n"
        "[scenes.\"Ruhe, bitte\"]\n");
    CHECK(lines(whole.problems) == "");
    const Patch& patch = whole.patch;
    CHECK(patch.start == "verse");
    REQUIRE(patch.scenes.size() == 3);
    CHECK(patch.scenes[0].name == "verse");
    CHECK(patch.scenes[0].morph_ms < 0.);
    REQUIRE(patch.scenes[0].nodes.size() == 1);
    REQUIRE(patch.scenes[0].nodes[0].settings.size() == 2);
    CHECK(patch.scenes[0].nodes[0].id == "opto");
    CHECK(patch.scenes[0].nodes[0].settings[1].key == "bypass");
    CHECK(patch.scenes[0].nodes[0].settings[1].place == Place{4, 33});
    CHECK(patch.scenes[1].morph_ms == 400.);
    CHECK(patch.scenes[1].nodes.size() == 2);
    CHECK(patch.scenes[2].name == "Ruhe, bitte");
    CHECK(patch.scenes[2].nodes.empty());
}

TEST_CASE("scenes: a table may be empty, and so may all of them") {
    CHECK(complaints("[scenes]\n") == "");
    CHECK(complaints("[scenes.a]\n[scenes.b.opto]\n") == "");
}

TEST_CASE("scenes: what is no table is reported with its place") {
    CHECK(complaints("scenes = 3\n") ==
          "p.toml:2:1: scenes: a whole number; expected tables: [scenes.verse]\n");
    CHECK(complaints("[scenes]\nverse = 3\n") ==
          "p.toml:3:1: scenes.verse: a whole number; expected a table: [scenes.verse]\n");
    CHECK(
        complaints("[scenes.verse]\nopto = 35.0\n") ==
        "p.toml:3:1: scenes.verse.opto: a number; a scene has morph_ms, and a table of knobs for each node: "
        "opto = { ... }\n");
    CHECK(complaints("[scenes.verse]\nopto = { gain_db = [0.5] }\n")
              .find("p.toml:3:10: scenes.verse.opto.gain_db: a list; a setting is") == 0);
    CHECK(complaints("start = 3\n") ==
          "p.toml:2:1: start: a whole number; expected a text in quotation marks\n");
    CHECK(complaints("start = \"\"\n") == "p.toml:2:1: start: empty; expected the name of a scene\n");
}

TEST_CASE("scenes: a morph takes up to a minute") {
    const auto complaint = [](const std::string& ms) {
        return complaints("[scenes.a]\nmorph_ms = " + ms + "\n");
    };
    CHECK(complaint("0") == "");
    CHECK(complaint("60000") == "");
    CHECK(complaint("60000.1") ==
          "p.toml:3:1: scenes.a.morph_ms: 60000.1 is out of range; expected 0 to 60000 ms\n");
    CHECK(complaint("-1").find("out of range") != std::string::npos);
    CHECK(complaint("nan").find("not a finite number") != std::string::npos);
    CHECK(complaint("\"slow\"").find("a text; expected a number") != std::string::npos);
}

TEST_CASE("scenes: names are free text, but for what a terminal would obey and what commands mean") {
    const auto is_good = [](const std::string& key) { return complaints("[scenes." + key + "]\n").empty(); };
    for (const char* name :
         {"verse", "Verse", "2", "-", "\"two words\"", "\"Übergang\"", "\"a.b\"", "\"Next\""})
        CHECK(is_good(name));
    for (const char* name : {"\"\"", "\" verse\"", "\"verse \"", "\"a\\nb\"", "\"a\\u001b[2Jb\"",
                             "\"a\\u009bb\"", "\"a\\u202eb\"", "\"a\\u0000b\""})
        CHECK_FALSE(is_good(name));
    CHECK(is_good('"' + std::string(100, 'x') + '"'));
    CHECK_FALSE(is_good('"' + std::string(101, 'x') + '"'));
    const std::string hostile = complaints("[scenes.\"a\\u001b[2Jb\"]\n");
    CHECK(hostile.find('\x1b') == std::string::npos);
    CHECK(hostile.find("a scene's name has 1 to 100 bytes, no control characters") != std::string::npos);
    for (const char* name : {"next", "previous", "morph"})
        CHECK(complaints("[scenes." + std::string(name) + "]\n") ==
              "p.toml:2:9: scenes." + std::string(name) +
                  ": is reserved, as are next, previous, morph; give the scene another name\n");
}

TEST_CASE("scenes: words that addresses begin with name no node") {
    for (const char* id : {"master", "scene", "song", "panic", "tempo_bpm"})
        CHECK(complaints("[nodes." + std::string(id) + "]\ntype = \"gain\"\n")
                  .find(std::string("nodes.") + id +
                        ": is reserved, as are master, scene, song, panic, tempo_bpm; give the node another "
                        "name\n") != std::string::npos);
    CHECK(complaints("[nodes.scenes]\ntype = \"gain\"\n") == "");
}

TEST_CASE("scenes: a pedal goes from one scene to another, and says which") {
    const auto complaint = [](const std::string& lines) { return complaints("[[midi]]\ncc = 11\n" + lines); };
    CHECK(complaint("target = \"morph\"\nfrom = \"a\"\nto = \"b\"\n") == "");
    CHECK(complaint("target = \"morph\"\nfrom = \"a\"\n") ==
          "p.toml:4:1: midi.to: missing; a morph goes between two scenes: write from and to\n");
    CHECK(complaint("target = \"morph\"\nto = \"a\"\n").find("midi.from: missing") != std::string::npos);
    CHECK(complaint("target = \"morph\"\nfrom = \"a\"\nto = \"a\"\n") ==
          "p.toml:6:1: midi.to: from and to are one scene, so that nothing would move\n");
    CHECK(complaint("target = \"a.gain_db\"\nfrom = \"a\"\n") ==
          "p.toml:5:1: midi.from: belongs to target = \"morph\"; leave it out\n");
    const PatchMidi midi =
        read("[[midi]]\ncc = 11\ntarget = \"morph\"\nfrom = \"a\"\nto = \"b\"\n").patch.midi.at(0);
    CHECK(midi.from == "a");
    CHECK(midi.to == "b");
    CHECK(midi.to_place == Place{6, 1});
}

TEST_CASE("scenes: a program change is a source") {
    CHECK(complaints("[[midi]]\nprogram = true\ntarget = \"scene\"\n") == "");
    CHECK(complaints("[[midi]]\nprogram = 3\ntarget = \"scene\"\n") ==
          "p.toml:3:1: midi.program: expected program = true, or no such line\n");
    CHECK(complaints("[[midi]]\nprogram = true\nmode = \"relative-2c\"\ntarget = \"scene\"\n")
              .find("\"program\" sends no relative moves") != std::string::npos);
}

}  // namespace
}  // namespace gainstage::test::read_scenes_test
