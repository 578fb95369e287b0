// TOML -> plain values: everything a patch may say, and every way to say it wrong.

#include "runtime/patch/read_patch.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problem_text.hpp"

namespace gainstage::test::read_patch_test {
namespace {

ReadPatch read(const std::string& text) {
    return read_patch_text(text, "p.toml", "folder");
}

/// Complaints about `line`, which is line 2 of a patch that is good otherwise.
std::string complaints(const std::string& line) {
    return lines(read("format = 1\n" + line + "\n").problems);
}

/// Complaints about a mapping whose lines begin at line 3.
std::string midi_complaints(const std::string& text) {
    return lines(read("format = 1\n[[midi]]\n" + text + "\n").problems);
}

PatchMidi midi(const std::string& text) {
    const ReadPatch patch = read("format = 1\n[[midi]]\n" + text + "\n");
    CHECK(lines(patch.problems) == "");
    REQUIRE(patch.patch.midi.size() == 1);
    return patch.patch.midi[0];
}

const std::string whole = R"(# You hear: a voice.
format = 1
name   = "Vocal"
fade_ms = 40
ceiling_dbfs = 18.5
links  = [
    "in -> trim -> opto.in -> out",
    'in.out -> opto.sidechain',
]

[nodes.trim]
gain_db = -3
type = "gain"

[nodes.in]
type = "input"
channels = [1]

[nodes.opto]
type = "s4d"
model = "../m.safetensors"
link = false
peak_reduction = 55.5

[nodes.out]
type = "output"
channels = [1, 2]

[[midi]]
channel = 3
cc = 21
target = "opto.peak_reduction"
min = 100
max = 0.5
curve = "s"
takeover = "scale"
smooth_ms = 5

[[midi]]
channel = "omni"
note = 60
mode = "toggle"
target = "trim.mute"
)";

TEST_CASE("read_patch: a whole patch is read as it was written") {
    const ReadPatch result = read(whole);
    CHECK(lines(result.problems) == "");
    const Patch& patch = result.patch;
    CHECK(patch.readable);
    CHECK(patch.file == "p.toml");
    CHECK(patch.folder == "folder");
    CHECK(patch.text == whole);
    CHECK(patch.name == "Vocal");
    CHECK(patch.fade_ms == 40.);
    CHECK(patch.ceiling_dbfs == 18.5);

    SECTION("nodes and settings keep the file's order, their types and places") {
        REQUIRE(patch.nodes.size() == 4);
        CHECK(patch.nodes[0].id == "trim");
        CHECK(patch.nodes[1].id == "in");
        CHECK(patch.nodes[0].place == Place{11, 8});
        CHECK(patch.nodes[0].type == "gain");
        CHECK(patch.nodes[0].type_place == Place{13, 1});
        CHECK(std::get<std::int64_t>(patch.nodes[0].settings.at(0).value) == -3);
        CHECK(patch.nodes[0].settings[0].place == Place{12, 1});
        const auto& opto = patch.nodes[2].settings;
        REQUIRE(opto.size() == 3);
        CHECK(opto[0].key == "model");
        CHECK(std::get<std::string>(opto[0].value) == "../m.safetensors");
        CHECK(std::get<bool>(opto[1].value) == false);
        CHECK(std::get<double>(opto[2].value) == 55.5);
        CHECK(std::get<std::vector<std::int64_t>>(patch.nodes[3].settings.at(0).value) ==
              std::vector<std::int64_t>{1, 2});
    }
    SECTION("a chain is one cable per arrow, each end with its place") {
        REQUIRE(patch.links.size() == 4);
        const PatchLink& into_opto = patch.links[1];
        CHECK(into_opto.from_node == "trim");
        CHECK(into_opto.from_port.empty());
        CHECK(into_opto.to_node == "opto");
        CHECK(into_opto.to_port == "in");
        CHECK(into_opto.place == Place{7, 12});
        CHECK(into_opto.to_place == Place{7, 20});
        CHECK(patch.links[2].from_node == "opto");
        CHECK(patch.links[2].from_port.empty());  // named at the end where the cable enters
        CHECK(patch.links[3].from_port == "out");
        CHECK(patch.links[3].to_port == "sidechain");
    }
    SECTION("mappings are complete") {
        REQUIRE(patch.midi.size() == 2);
        const PatchMidi& knob = patch.midi[0];
        CHECK(knob.channel == 3);
        CHECK(knob.source == MidiSource::cc);
        CHECK(knob.number == 21);
        CHECK(knob.mode == MidiMode::absolute);
        CHECK(knob.target == "opto.peak_reduction");
        CHECK(knob.has_range);
        CHECK(knob.min == 100.);
        CHECK(knob.max == 0.5);
        CHECK(knob.curve == MidiCurve::s);
        CHECK(knob.takeover == MidiTakeover::scale);
        CHECK(knob.smooth_ms == 5.);
        CHECK(knob.place == Place{29, 1});
        CHECK(knob.target_place == Place{32, 1});
        const PatchMidi& key = patch.midi[1];
        CHECK(key.channel == 0);
        CHECK(key.source == MidiSource::note);
        CHECK(key.mode == MidiMode::toggle);
        CHECK_FALSE(key.has_range);
        CHECK(key.smooth_ms < 0.);
    }
}

TEST_CASE("read_patch: tables may be inline, and lines may end as on Windows") {
    const ReadPatch result = read(
        "format = 1\r\nlinks = [\"in->out\"]\r\nnodes = { in = { type = \"input\" }, out = { type = "
        "\"output\" } }\r\nmidi = [ { cc = 1, target = \"panic\" } ]\r\n");
    CHECK(lines(result.problems) == "");
    REQUIRE(result.patch.nodes.size() == 2);
    CHECK(result.patch.nodes[1].place == Place{3, 36});
    CHECK(result.patch.links.size() == 1);
    CHECK(result.patch.midi.size() == 1);
}

TEST_CASE("read_patch: every source, mode, curve and takeover has its word") {
    CHECK(midi("cc14 = 31\ntarget = \"a.b\"").source == MidiSource::cc14);
    CHECK(midi("nrpn = 16383\ntarget = \"a.b\"").number == 16383);
    CHECK(midi("pitchbend = true\ntarget = \"a.b\"").source == MidiSource::pitchbend);
    CHECK(midi("cc = 1\nmode = \"relative-2c\"\ntarget = \"a.b\"").mode == MidiMode::relative_2c);
    CHECK(midi("cc = 1\nmode = \"relative-offset64\"\ntarget = \"a.b\"").mode == MidiMode::relative_offset64);
    CHECK(midi("cc = 1\nmode = \"relative-signbit\"\ntarget = \"a.b\"").mode == MidiMode::relative_signbit);
    CHECK(midi("cc = 1\nmode = \"momentary\"\ntarget = \"a.b\"").mode == MidiMode::momentary);
    CHECK(midi("cc = 1\nmode = \"trigger\"\ntarget = \"a.b\"").mode == MidiMode::trigger);
    CHECK(midi("cc = 1\ncurve = \"log\"\ntarget = \"a.b\"").curve == MidiCurve::log);
    CHECK(midi("cc = 1\ncurve = \"exp\"\ntarget = \"a.b\"").curve == MidiCurve::exp);
    CHECK(midi("cc = 1\ntakeover = \"jump\"\ntarget = \"a.b\"").takeover == MidiTakeover::jump);
    CHECK(midi("cc = 1\ntarget = \"a.b\"").takeover == MidiTakeover::pickup);
    // A key of a keyboard has no position for pickup.
    CHECK(midi("note = 1\ntarget = \"a.b\"").takeover == MidiTakeover::jump);
}

TEST_CASE("read_patch: the top of a patch is checked") {
    CHECK(lines(read("name = \"x\"").problems) ==
          "p.toml: format: missing; a patch begins with format = 1\n");
    CHECK(lines(read("format = \"1\"").problems) == "p.toml:1:1: format: a text; expected format = 1\n");
    CHECK(lines(read("format = 0").problems) == "p.toml:1:1: format: this Gainstage reads format 1, not 0\n");
    CHECK(complaints("lnks = []") ==
          "p.toml:2:1: lnks: unknown key; did you mean \"links\"? (keys: format, name, links, nodes, midi, "
          "scenes, fade_ms, ceiling_dbfs, start)\n");
    CHECK(complaints("  name = 3") ==
          "p.toml:2:3: name: a whole number; expected a text in quotation marks\n");
    CHECK(complaints("fade_ms = 0") == "p.toml:2:1: fade_ms: 0 is out of range; expected 1 to 1000 ms\n");
    CHECK(complaints("fade_ms = nan") == "p.toml:2:1: fade_ms: not a finite number; expected a number\n");
    CHECK(complaints("ceiling_dbfs = 61.5") ==
          "p.toml:2:1: ceiling_dbfs: 61.5 is out of range; expected 0 to 60 dBFS\n");
    CHECK(complaints("ceiling_dbfs = \"x\"") == "p.toml:2:1: ceiling_dbfs: a text; expected a number\n");
}

TEST_CASE("read_patch: a patch of a later format is not judged by the rules of this one") {
    const ReadPatch later = read("format = 2\nscenes = []\nlinks = 3\n");
    CHECK(lines(later.problems) ==
          "p.toml:1:1: format: this Gainstage reads format 1, not 2; a newer one may\n");
    CHECK_FALSE(later.patch.readable);
}

TEST_CASE("read_patch: each broken cable is reported with its place, the good ones are kept") {
    const std::string expected = "expected \"node -> node\" or \"node.port -> node.port\"\n";
    CHECK(complaints("links = \"a -> b\"") ==
          "p.toml:2:1: links: a text; expected a list of texts, [\"in -> out\"]\n");
    CHECK(complaints("links = [3]") == "p.toml:2:10: links: a whole number; " + expected);
    CHECK(complaints("links = [\"a\"]") == "p.toml:2:11: links: no cable; " + expected);
    CHECK(complaints("links = [\"\"]") == "p.toml:2:11: links: \"\" names no node; " + expected);
    CHECK(complaints("links = [\"a -> \"]") == "p.toml:2:15: links: \"\" names no node; " + expected);
    CHECK(complaints("links = [\"a -> B -> c\"]") == "p.toml:2:16: links: \"B\" names no node; " + expected);
    CHECK(complaints("links = [\"a -> b.\"]") == "p.toml:2:16: links: \"b.\" names no node; " + expected);
    CHECK(complaints("links = [\"a --> b\"]") == "p.toml:2:13: links: write -> between nodes, not -->\n");
    CHECK(complaints("links = [\"a-->b\"]") == "p.toml:2:12: links: write -> between nodes, not -->\n");
    CHECK(complaints("links = [\"a => b\"]") ==
          "p.toml:2:11: links: \"a => b\" names no node; write -> between nodes, not =>\n");
    // After letters of several bytes columns still count letters.
    CHECK(complaints("links = [\"\u00e9\u00e9 -> B\"]") ==
          "p.toml:2:11: links: \"\u00e9\u00e9\" names no node; " + expected +
              "p.toml:2:17: links: \"B\" names no node; " + expected);
    // In a text with escapes the place is the beginning of the text.
    CHECK(complaints("links = [\"a\\t-> B\"]") == "p.toml:2:10: links: \"B\" names no node; " + expected);
    // An escape is longer than its character, and a letter may have as many more bytes.
    CHECK(complaints("links = [\"\u00e9\\t-> B\"]") ==
          "p.toml:2:10: links: \"\u00e9\" names no node; " + expected +
              "p.toml:2:10: links: \"B\" names no node; " + expected);
    const ReadPatch some = read("format = 1\nlinks = [\"a -> b\", \"b\", \"b -> c\"]\n");
    CHECK(some.problems.size() == 1);
    CHECK(some.patch.links.size() == 2);
}

TEST_CASE("read_patch: nodes are tables of plain settings") {
    CHECK(complaints("nodes = 3") == "p.toml:2:1: nodes: a whole number; expected tables: [nodes.in]\n");
    CHECK(complaints("[[nodes]]") == "p.toml:2:3: nodes: a list; expected tables: [nodes.in]\n");
    CHECK(complaints("nodes.in = 3") ==
          "p.toml:2:7: nodes.in: a whole number; expected a table: [nodes.in]\n");
    CHECK(complaints("[nodes.In]") ==
          "p.toml:2:8: nodes.In: a node's name has small letters (a-z), digits, _ and - only\n");
    CHECK(complaints("[nodes.\"a.b\"]") ==
          "p.toml:2:8: nodes.a.b: a node's name has small letters (a-z), digits, _ and - only\n");
    CHECK(complaints("[nodes.in]\ntype = 3") ==
          "p.toml:3:1: nodes.in.type: a whole number; expected a text in quotation marks\n");
    CHECK(complaints("[nodes.in]\ntype = \"\"") ==
          "p.toml:3:1: nodes.in.type: empty; expected a node type\n");
    const std::string expected =
        "; a setting is a number, a text, true or false, or a list of whole numbers\n";
    CHECK(complaints("[nodes.in.deep]\nx = 1") == "p.toml:2:11: nodes.in.deep: a table" + expected);
    CHECK(complaints("[nodes.in]\nx = 2026-11-21") == "p.toml:3:1: nodes.in.x: a date" + expected);
    CHECK(complaints("[nodes.in]\nchannels = [1.5]") == "p.toml:3:1: nodes.in.channels: a list" + expected);
}

TEST_CASE("read_patch: a mapping has one source, in its range") {
    const std::string rest = "\ntarget = \"a.b\"";
    CHECK(midi_complaints("target = \"a.b\"") ==
          "p.toml:2:1: midi: listens to nothing; add one of cc, cc14, nrpn, pitchbend, note, program\n");
    CHECK(midi_complaints("cc = 1\nnote = 2" + rest) ==
          "p.toml:4:1: midi.note: a second source beside \"cc\"; a mapping has exactly one, write another "
          "[[midi]] for this\n");
    CHECK(midi_complaints("cc = 128" + rest) ==
          "p.toml:3:1: midi.cc: 128 is out of range; expected a whole number from 0 to 127\n");
    CHECK(midi_complaints("cc14 = 32" + rest) ==
          "p.toml:3:1: midi.cc14: 32 is out of range; expected a whole number from 0 to 31\n");
    CHECK(midi_complaints("nrpn = -1" + rest) ==
          "p.toml:3:1: midi.nrpn: -1 is out of range; expected a whole number from 0 to 16383\n");
    CHECK(midi_complaints("note = 1.5" + rest) ==
          "p.toml:3:1: midi.note: a number; expected a whole number from 0 to 127\n");
    CHECK(midi_complaints("pitchbend = false" + rest) ==
          "p.toml:3:1: midi.pitchbend: expected pitchbend = true, or no such line\n");
}

TEST_CASE("read_patch: every key of a mapping is checked") {
    const std::string rest = "\ncc = 1\ntarget = \"a.b\"";
    CHECK(midi_complaints("cc = 1") == "p.toml:2:1: midi: moves nothing; add target = \"node.parameter\"\n");
    CHECK(midi_complaints("cc = 1\ntarget = 3") ==
          "p.toml:4:1: midi.target: a whole number; expected a text in quotation marks\n");
    CHECK(midi_complaints("chanel = 1" + rest) ==
          "p.toml:3:1: midi.chanel: unknown key; did you mean \"channel\"? (keys: channel, cc, cc14, nrpn, "
          "pitchbend, note, program, order, mode, target, from, to, min, max, curve, takeover, smooth_ms)\n");
    CHECK(midi_complaints("channel = 17" + rest) ==
          "p.toml:3:1: midi.channel: there is no channel 17; expected 1 to 16, or \"omni\"\n");
    CHECK(midi_complaints("channel = \"all\"" + rest) ==
          "p.toml:3:1: midi.channel: \"all\"; expected 1 to 16, or \"omni\"\n");
    CHECK(
        midi_complaints("mode = \"absolut\"" + rest) ==
        "p.toml:3:1: midi.mode: \"absolut\" is not known here; did you mean \"absolute\"? (one of: absolute, "
        "relative-2c, relative-offset64, relative-signbit, toggle, momentary, trigger)\n");
    CHECK(midi_complaints("curve = 3" + rest) ==
          "p.toml:3:1: midi.curve: a whole number; expected one of linear, log, exp, s\n");
    CHECK(midi_complaints("takeover = \"Jump\"" + rest) ==
          "p.toml:3:1: midi.takeover: \"Jump\" is not known here; did you mean \"jump\"? (one of: jump, "
          "pickup, "
          "scale)\n");
    CHECK(midi_complaints("smooth_ms = -1" + rest) ==
          "p.toml:3:1: midi.smooth_ms: -1 is out of range; expected 0 to 10000 ms\n");
    CHECK(midi_complaints("min = 1" + rest) ==
          "p.toml:3:1: midi.min: min without max; write both, or none for the whole range\n");
    CHECK(midi_complaints("max = 1" + rest) ==
          "p.toml:3:1: midi.max: max without min; write both, or none for the whole range\n");
    CHECK(midi_complaints("min = 2\nmax = 2" + rest) ==
          "p.toml:3:1: midi.min: min and max are equal, so that nothing would move\n");
    CHECK(midi_complaints("min = inf\nmax = 2" + rest) ==
          "p.toml:3:1: midi.min: not a finite number; expected a number\n");
}

TEST_CASE("read_patch: settings of a mapping that would do nothing are refused") {
    const std::string rest = "\ntarget = \"a.b\"";
    CHECK(midi_complaints("cc = 1\nmode = \"toggle\"\ntakeover = \"pickup\"" + rest) ==
          "p.toml:5:1: midi.takeover: means nothing with mode = \"toggle\"; leave it out\n");
    CHECK(midi_complaints("cc = 1\nmode = \"momentary\"\ncurve = \"linear\"" + rest) ==
          "p.toml:5:1: midi.curve: means nothing with mode = \"momentary\"; leave it out\n");
    CHECK(midi_complaints("note = 1\ntakeover = \"scale\"" + rest) ==
          "p.toml:4:1: midi.takeover: a key has no place to pick up from; leave it out\n");
    CHECK(midi_complaints("note = 1\nmode = \"relative-2c\"" + rest) ==
          "p.toml:4:1: midi.mode: \"note\" sends no relative moves; expected mode = \"absolute\"\n");
    CHECK(midi_complaints("pitchbend = true\nmode = \"toggle\"" + rest) ==
          "p.toml:4:1: midi.mode: a pitch bend is no button; expected mode = \"absolute\"\n");
    CHECK(complaints("midi = 3") ==
          "p.toml:2:1: midi: a whole number; expected tables in double brackets: [[midi]]\n");
    CHECK(complaints("[midi]") ==
          "p.toml:2:2: midi: a table; expected tables in double brackets: [[midi]]\n");
    CHECK(complaints("midi = [3]") == "p.toml:2:9: midi: a whole number; expected a table\n");
}

TEST_CASE("read_patch: all errors of a file are reported at once, in the order of their places") {
    const ReadPatch result = read(
        "nmae = \"x\"\nfade_ms = 0\nlinks = [\"a ->\", 3]\n[nodes.A]\ntype = 1\n[[midi]]\ncc = 999\nmin = "
        "1\n");
    const int found[] = {0, 1, 2, 3, 3, 4, 5, 6, 7, 8};
    REQUIRE(result.problems.size() == std::size(found));
    for (std::size_t i = 0; i < std::size(found); ++i) CHECK(result.problems[i].place.line == found[i]);
    for (const Problem& problem : result.problems) CHECK(problem.exit_code == 65);
}

}  // namespace
TEST_CASE("read_patch: order says which half of a 14-bit control comes first, and only there") {
    CHECK(midi("cc14 = 1\ntarget = \"a.b\"").order == MidiOrder::recognised);
    CHECK(midi("cc14 = 1\norder = \"msb_first\"\ntarget = \"a.b\"").order == MidiOrder::msb_first);
    CHECK(midi("cc14 = 1\norder = \"lsb_first\"\ntarget = \"a.b\"").order == MidiOrder::lsb_first);
    CHECK(midi("nrpn = 1\norder = \"lsb_first\"\ntarget = \"a.b\"").order == MidiOrder::lsb_first);
    CHECK(midi("nrpn = 1\norder = \"msb_first\"\ntarget = \"a.b\"").order == MidiOrder::msb_first);
    CHECK(midi_complaints("cc = 1\norder = \"lsb_first\"\ntarget = \"a.b\"") ==
          "p.toml:4:1: midi.order: means nothing with \"cc\", which has no two halves; leave it out\n");
    CHECK(midi_complaints("nrpn = 1\norder = \"lsb\"\ntarget = \"a.b\"").find("\"lsb\" is not known here") !=
          std::string::npos);
}

TEST_CASE("read_patch: what an office program, a chat or a comma key did to a line is named as the cause") {
    const auto complaint = [](const std::string& line) {
        return lines(read("format = 1\n" + line + "\n").problems);
    };
    const auto has = [](const std::string& text, const std::string& part) {
        INFO(text);
        CHECK(text.find(part) != std::string::npos);
    };
    has(complaint("name = \u201cOpto\u201d"),
        "p.toml:2:8: not valid TOML: a curly quotation mark (\u201c); write a straight one: \"");
    has(complaint("name = \u2018Opto\u2019"),
        "not valid TOML: a curly quotation mark (\u2018); write a straight one: '");
    has(complaint("fade_ms = \u221225"), "p.toml:2:11: not valid TOML: a typographic minus sign");
    has(complaint("fade_ms = \u201325"), "not valid TOML: a dash");
    has(complaint("fade_ms = 2,5"), "not valid TOML: a decimal comma (2,5); write a point: 2.5");
    has(complaint("nodes = { g = { type = \"gain\", gain_db = -3,5 } }"),
        "not valid TOML: a decimal comma (3,5)");
    has(complaint("name = My guitar"),
        "p.toml:2:8: not valid TOML: a text needs quotation marks: \"My guitar\"");
    has(complaint("name = Gitarre # mine"), "a text needs quotation marks: \"Gitarre\"");
    has(complaint("links = [in -> out]"), "not valid TOML: Error");
    has(complaint("fade_ms =\u00a025"), "not valid TOML: a no-break space");
    has(complaint("links = \u3010\"in -> out\"\u3011"),
        "not valid TOML: a bracket of another script (\u3010); write an ordinary one: [");
    has(complaint("links = \uff3b\"in -> out\"\uff3d"),
        "not valid TOML: a fullwidth character (\uff3b); write the one of the keyboard: [");
    has(complaint("fade_ms \uff1d 25"), "write the one of the keyboard: =");
    has(complaint("fade_ms = \uff12\uff15"), "write the one of the keyboard: 2");
    has(complaint("links = [\"in \u2192 out\"]"),
        "p.toml:2:11: links: \"in \u2192 out\" names no node; it holds an arrow (\u2192); write it as ->");
    has(complaint("links = [\"in -> out\uff0ea\"]"), "it holds a fullwidth character (\uff0e)");
    // Quoted texts and comments may hold all of them; other faults keep their cause.
    CHECK(complaint("name = \"\u201cOpto\u201d \u2212 1,5\" # \u2212 2,5").empty());
    CHECK(complaint("name = \"\u201c\" fade_ms").find("quotation") == std::string::npos);
    CHECK(complaint("name = [1,2").find("comma (") == std::string::npos);
}

TEST_CASE("read_patch: lines end in LF, CR LF or CR, with or without a byte-order mark") {
    const std::string text = "format = 1\n# a comment\nname = \"a\"\nnames = 1\n";
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        std::string changed = "\xEF\xBB\xBF";
        for (const char letter : text) changed += letter == '\n' ? end : std::string(1, letter);
        const ReadPatch result = read(changed);
        CHECK(result.patch.name == "a");
        REQUIRE(result.problems.size() == 1);
        CHECK(result.problems[0].place == Place{4, 1});
    }
}

TEST_CASE("read_patch: what only has the name of a patch is named") {
    const auto complaint = [](const std::string& text) { return lines(read(text).problems); };
    CHECK(complaint("<!DOCTYPE html>\n<html></html>\n") ==
          "p.toml: a web page, not the file itself; download the file again\n");
    CHECK(complaint("version https://git-lfs.github.com/spec/v1\n") ==
          "p.toml: a Git LFS pointer, not the file itself; fetch the file with: git lfs pull\n");
    CHECK(complaint("{\"version\": \"0.5.4\", \"architecture\": \"WaveNet\", \"config\": {}}")
              .find("p.toml: a capture of Neural Amp Modeler (.nam), which isn't played yet; play") == 0);
    CHECK(complaint("PK\3\4 archive")
              .find("p.toml: a PyTorch checkpoint, or another ZIP archive; convert it") == 0);
    CHECK(complaint(std::string("\x20\0\0\0\0\0\0\0{\"__metadata__\":{}}", 27))
              .find("p.toml: a model, not a patch; a patch plays it in a node: type = ") == 0);
}

TEST_CASE("read_patch: a forgotten quotation mark is named where it was opened") {
    const auto complaint = [](const std::string& text) {
        return lines(read("format = 1\n" + text).problems);
    };
    const auto is_open_at = [&](const std::string& text, const std::string& place) {
        INFO(text << complaint(text));
        return complaint(text).find("the quotation mark opened in " + place + ", is not closed\n") !=
               std::string::npos;
    };
    CHECK(is_open_at("name = \"x\nlinks = []\n", "line 2, column 8"));
    CHECK(is_open_at("links = [\"a -> b\",\n \"b -> c,\n \"c -> d\"]\n", "line 3, column 2"));
    CHECK(is_open_at("# it's\nname = 'x\n", "line 3, column 8"));
    CHECK(is_open_at("name = \"a\\\"b\n", "line 2, column 8"));
    CHECK(is_open_at("name = \"\"\"x\"\nlinks = []\n", "line 2, column 8"));
    CHECK(complaint("name = \"x\" y\n").find("quotation") == std::string::npos);
    CHECK(complaint("name = 'it\"s' y\n").find("quotation") == std::string::npos);
}

}  // namespace gainstage::test::read_patch_test
