/// The schema of what a session tells: session_report.hpp describes it, this holds it.

#include "runtime/control/session_report.hpp"

#include <nlohmann/json.hpp>

#include "tests/support/catch.hpp"

namespace gainstage::test::session_report_test {

using Json = nlohmann::json;
using Kind = SessionReport::Kind;

namespace {

SessionReport fade() {
    SessionReport report{.kind = Kind::fade};
    report.at = 96'000;
    report.seconds = 2.;
    report.warmed = true;
    report.warm_from = 1'200;
    report.swapped = {"opto"};
    report.patch = std::make_shared<const PlayedPatch>(
        PlayedPatch{.file = "song.toml",
                    .text = "format = 1\n",
                    .models = {{.path = "opto.safetensors", .hash = 0x1f, .model = nullptr}}});
    return report;
}

SessionReport applied(Event event) {
    SessionReport report{.kind = Kind::event};
    report.at = 480;
    report.seconds = 0.01;
    report.event = event;
    return report;
}

}  // namespace

TEST_CASE("a fade is one event in two places: run --json tells of it, the log repeats it") {
    CHECK(
        Json::parse(to_json(fade())) ==
        Json{
            {"event", "fade"}, {"at", 96'000}, {"seconds", 2.}, {"warm_from", 1'200}, {"swapped", {"opto"}}});
    CHECK(Json::parse(to_log_line(fade())) ==
          Json{{"at", 96'000},
               {"warm_from", 1'200},
               {"swapped", {"opto"}},
               {"play",
                {{"file", "song.toml"},
                 {"text", "format = 1\n"},
                 {"models", {{"opto.safetensors", "000000000000001f"}}}}}});
}

TEST_CASE("what was applied has the same keys for listeners and in the log") {
    SessionReport knob = applied({.kind = EventKind::knob, .value = -6.f, .smooth_ms = 20.f});
    knob.node = "trim";
    knob.parameter = "gain_db";
    const SessionReport midi =
        applied({.kind = EventKind::midi, .port = 1, .midi = {.size = 3, .bytes = {176, 21, 64}}});
    const SessionReport panic = applied({.kind = EventKind::panic});
    const SessionReport end = applied({.kind = EventKind::fade_out, .value = 50.f});
    SessionReport scene = applied({.kind = EventKind::scene});
    SessionReport slow = applied({.kind = EventKind::scene, .smooth_ms = 40.f});
    scene.parameter = slow.parameter = "solo";
    const Json keys[] = {{{"set", "trim.gain_db"}, {"value", -6.}, {"smooth_ms", 20.}},
                         {{"midi", {176, 21, 64}}, {"port", 1}},
                         {{"panic", true}},
                         {{"fade_out_ms", 50.}},
                         {{"scene", "solo"}},
                         {{"scene", "solo"}, {"morph_ms", 40.}}};
    const char* const kinds[] = {"knob", "midi", "action", "action", "scene", "scene"};
    int k = 0;
    for (const SessionReport& report : {knob, midi, panic, end, scene, slow}) {
        Json logged = keys[k];
        logged["at"] = 480;
        CHECK(Json::parse(to_log_line(report)) == logged);
        Json told = logged;
        told.update({{"event", "event"}, {"seconds", 0.01}, {"kind", kinds[k]}});
        if (!report.node.empty()) told["node"] = report.node;
        CHECK(Json::parse(to_json(report)) == told);
        ++k;
    }
}

TEST_CASE("a scene that a message chose is told, and not logged: the message is") {
    SessionReport scene = applied({.kind = EventKind::scene, .by_midi = true});
    scene.parameter = "solo";
    CHECK(Json::parse(to_json(scene))["scene"] == "solo");
    CHECK(to_log_line(scene).empty());
}

TEST_CASE("words for people are told, and not logged; a quarantine is noted in the log") {
    SessionReport report{.kind = Kind::problem};
    report.text = "song.toml: \xff";  // bytes of a file's name
    CHECK(Json::parse(to_json(report))["text"] == "song.toml: \xef\xbf\xbd");
    CHECK(to_log_line(report).empty());
    report.kind = Kind::latched;
    report.node = "opto";
    CHECK(Json::parse(to_log_line(report)) == Json{{"at", 0}, {"tripped", "opto"}, {"latched", true}});
}

TEST_CASE("what a take lacks is told in words and in the log, by kind, from sample to sample") {
    const SessionReport midi =
        report_of(Loss{.kind = Loss::Kind::midi, .from = 48'000, .to = 96'000, .count = 7}, 96'128, 48'000.);
    CHECK(midi.text == "7 MIDI message(s) were lost in a full queue, from 1.00 s to 2.00 s");
    const Json lost{{"from", 48'000}, {"to", 96'000}, {"midi", 7}};
    CHECK(Json::parse(to_log_line(midi)) == Json{{"at", 96'128}, {"lost", lost}});
    Json told = Json::parse(to_json(midi));
    CHECK(told["event"] == "lost");
    CHECK(told["lost"] == lost);
    for (const Loss::Kind kind : Loss::kinds) {
        const Json line = Json::parse(to_log_line(report_of(Loss{.kind = kind, .count = 3}, 5, 48'000.)));
        CHECK(line["lost"][word_of(kind)] == 3);
        CHECK_FALSE(text_of(Loss{.kind = kind, .count = 3}, 48'000.).empty());
    }
    CHECK_FALSE(Json::parse(log_head(48'000.)).contains("lost"));
    CHECK(Json::parse(log_head(48'000., {.from = 1, .to = 2, .count = 3}))["lost"] ==
          Json{{"from", 1}, {"to", 2}, {"lines", 3}});
}

TEST_CASE("a controller's message is told in words, but not in the log") {
    SessionReport report =
        applied({.kind = EventKind::midi, .port = 1, .midi = {.size = 3, .bytes = {176, 21, 64}}});
    report.midi = {.control = "ch 1 cc 21 = 64", .port = "nano", .moves = {"opto.peak"}, .waits = {}};
    const Json told = Json::parse(to_json(report));
    CHECK(told["control"] == "ch 1 cc 21 = 64");
    CHECK(told["port_name"] == "nano");
    CHECK(told["moves"] == Json{"opto.peak"});
    CHECK_FALSE(Json::parse(to_log_line(report)).contains("control"));
}

TEST_CASE("a status tells of the latest message, and a summary whose fault lost sound was") {
    LiveStatus status;
    status.usual_load = 0.25f;
    status.last_midi = {.control = "ch 1 cc 30 = 64",
                        .port = "nano",
                        .moves = {"opto.peak"},
                        .waits = "waits: turn up to 115"};
    SessionReport report{.kind = Kind::status};
    report.status = std::make_shared<const LiveStatus>(status);
    const Json now = Json::parse(to_json(report));
    CHECK(now["last_midi"] == "ch 1 cc 30 = 64");
    CHECK(now["last_midi_port"] == "nano");
    CHECK(now["last_midi_moves"] == Json{"opto.peak"});
    CHECK(now["last_midi_waits"] == "waits: turn up to 115");
    CHECK(now["usual_load"] == 0.25);

    LiveSummary summary;
    summary.block_frames = 128;
    summary.busiest = {{"opto", 0.25}, {"safety", 0.125}};
    summary.verdict = "too heavy";
    SessionReport last{.kind = Kind::summary};
    last.summary = std::make_shared<const LiveSummary>(summary);
    const Json end = Json::parse(to_json(last));
    CHECK(end["verdict"] == "too heavy");
    CHECK(end["slowest_node"] == "opto");
    CHECK(end["slowest_node_load"] == 0.25);
    CHECK(end["busiest"][1] == Json{{"node", "safety"}, {"load", 0.125}});
    CHECK(end["block_frames"] == 128);
}

TEST_CASE("a status says how many nodes have tripped, and which rest now") {
    SessionReport report{.kind = Kind::status};
    LiveStatus status;
    status.quarantines = 4;
    status.resting = {"opto"};
    report.status = std::make_shared<const LiveStatus>(status);
    CHECK(Json::parse(to_json(report))["quarantines"] == 4);
    CHECK(Json::parse(to_json(report))["resting"] == Json{"opto"});
}

TEST_CASE("a status holds every reading with its node and unit") {
    SessionReport report{.kind = Kind::status};
    LiveStatus status;
    status.readings = {{.node = "m", .name = "peak_dbfs", .unit = "dBFS", .value = -6.f},
                       {.node = "m", .name = "gain_reduction_db", .unit = "dB", .value = 3.f}};
    report.status = std::make_shared<const LiveStatus>(status);
    const Json told = Json::parse(to_json(report));
    CHECK(told["event"] == "status");
    REQUIRE(told["readings"].size() == 2);
    CHECK(told["readings"][0] ==
          Json{{"node", "m"}, {"name", "peak_dbfs"}, {"unit", "dBFS"}, {"value", -6.}});
}

}  // namespace gainstage::test::session_report_test
