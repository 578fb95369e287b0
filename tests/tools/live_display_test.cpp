#include "tools/gainstage/live_display.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/catch.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::live_display_test {

namespace {

SessionReport note(const std::string& text) {
    SessionReport report{.kind = SessionReport::Kind::note};
    report.text = text;
    return report;
}

/// Shows, in a child, three notes before, while and after the disk behind its output is full.
std::string said_of_full_disk(LiveDisplay::Form form, const std::string& out) {
    const End end = in_child([&] {
        dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600),
             form == LiveDisplay::Form::json ? STDOUT_FILENO : STDERR_FILENO);
        LiveDisplay display(form, STDERR_FILENO);
        display.take(note("first"));
        {
            const FullDisk disk(1);
            for (const char* lost : {"a", "b", "c"}) display.take(note(lost));
        }
        display.take(note("last"));
    });
    CHECK(end.peaceful());
    return end.said;
}

}  // namespace

TEST_CASE("lines that could not be written are counted where the next one can be") {
    const TemporaryFolder folder;
    SECTION("for scripts") {
        const std::string said = said_of_full_disk(LiveDisplay::Form::json, folder.file("out"));
        CHECK(said == "gainstage: standard output: cannot be written: File too large; playing goes on\n");
        std::vector<std::string> texts;
        std::istringstream lines(folder.read("out"));
        for (std::string line; std::getline(lines, line);)
            texts.push_back(nlohmann::json::parse(line).at("text"));
        CHECK(texts == std::vector<std::string>{
                           "first", "3 line(s) are missing here: they could not be written", "last"});
    }
    SECTION("for people") {
        CHECK(said_of_full_disk(LiveDisplay::Form::lines, folder.file("out")).empty());
        CHECK(folder.read("out") ==
              "    0.00 s  first\n3 line(s) are missing here: they could not be written\n    0.00 s  last\n");
    }
}

TEST_CASE("a narrow status line keeps what matters most, and whole pieces only") {
    LiveStatus status;
    status.in_peak_db = {-34.f};
    status.out_peak_db = {-20.f, -21.f};
    status.usual_load = 0.04f;
    status.worst_load = 0.12f;
    status.last_midi = {.control = "ch 1 cc 64 = 127", .port = "nano", .moves = {}, .value = {}, .waits = {}};
    status.readings = {{.node = "safety", .name = "gain_reduction_db", .unit = "dB", .value = 3.f},
                       {.node = "level", .name = "peak_dbfs", .unit = "dBFS", .value = -6.f},
                       {.node = "level", .name = "rms_dbfs", .unit = "dBFS", .value = -9.f}};
    const std::string wide = status_line(status, 12.34, 200);
    CHECK(wide ==
          "   12.3 s  midi ch 1 cc 64 = 127 (not mapped)  in \u2583 -34  out \u2585 -20 \u2585 -21  load 4 % "
          "(worst 12)  safety -3.0 dB  level peak -6.0 rms -9.0 dBFS");
    CHECK(status_line(status, 12.34, 79) ==
          "   12.3 s  midi ch 1 cc 64 = 127 (not mapped)  in \u2583 -34  out \u2585 -20 \u2585 -21");
    CHECK(status_line(status, 12.34, 42) == "   12.3 s  in \u2583 -34  out \u2585 -20 \u2585 -21");
    status.last_midi = {.control = "ch 1 cc 30 = 64",
                        .port = {},
                        .moves = {"opto.peak"},
                        .value = "40 %",
                        .waits = "waits: turn up to 115"};
    status.xruns = 2;
    status.resting = {"opto"};
    CHECK(status_line(status, 12.34, 100)
              .find("   12.3 s  midi ch 1 cc 30 = 64 -> opto.peak waits: turn up to 115"
                    "  opto silenced  xruns 2  in ") == 0);
    status.last_midi.waits.clear();
    CHECK(status_line(status, 12.34, 100)
              .find("   12.3 s  midi ch 1 cc 30 = 64 -> opto.peak 40 %  opto silenced  xruns 2  in ") == 0);
    status.midi_late = 3;
    CHECK(status_line(status, 12.34, 120).find("  xruns 2  late midi 3  in ") != std::string::npos);
}

TEST_CASE("the summary begins with the verdict, and counts in words") {
    const TemporaryFolder folder;
    const End end = in_child([&] {
        dup2(open(folder.file("out").c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        LiveDisplay display(LiveDisplay::Form::lines, STDERR_FILENO);
        LiveSummary summary;
        summary.verdict = "late callbacks, not because of the patch";
        summary.seconds = 2.;
        summary.blocks = 750;
        summary.xruns = 1;
        summary.swaps = 1;
        summary.failures = 2;
        summary.midi_messages = 40;
        summary.midi_late = 5;
        summary.busiest = {{"opto", 0.25}, {"safety", 0.01}};
        SessionReport report{.kind = SessionReport::Kind::summary};
        report.summary = std::make_shared<const LiveSummary>(summary);
        display.take(report);
        summary.verdict.clear();
        report.summary = std::make_shared<const LiveSummary>(summary);
        display.take(report);
    });
    CHECK(end.peaceful());
    const std::string out = folder.read("out");
    CHECK(out.find("late callbacks, not because of the patch\nplayed 2.0 s in 750 blocks; 1 xrun, 0 late "
                   "blocks; ") == 0);
    CHECK(out.find("\n1 model changed, 0 edits, 2 refused, 0 nodes silenced\n") != std::string::npos);
    CHECK(out.find("\n40 MIDI message(s), 0 lost, 5 late\n") != std::string::npos);
    CHECK(out.find("\nbusiest nodes: opto 25.0 %, safety 1.0 % of each block\n") != std::string::npos);
    CHECK(out.find("\nbusiest node: opto, 25.0 % of each block\n") != std::string::npos);
}

TEST_CASE("names in a display can't steer the terminal") {
    const TemporaryFolder folder;
    const End end = in_child([&] {
        dup2(open(folder.file("out").c_str(), O_WRONLY | O_CREAT, 0600), STDERR_FILENO);
        LiveDisplay display(LiveDisplay::Form::lines, STDERR_FILENO);
        display.take(note("a\x1b[2Jb"));
    });
    CHECK(end.peaceful());
    CHECK(folder.read("out") == "    0.00 s  a?[2Jb\n");
}

}  // namespace gainstage::test::live_display_test
