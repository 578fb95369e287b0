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
