/// A disk that gets full during `render` and `run`. (Recordings: recorder_test.cpp.)

#include "tests/support/full_disk.hpp"

#include <filesystem>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::full_disk_test {

namespace fs = std::filesystem;

namespace {

const std::string hello = source_dir() + "/patches/hello.toml";

/// A second of noise: 200 kB when hello.toml renders it to two channels.
std::string noise_in(const TemporaryFolder& folder) {
    std::string file = folder.file("in.wav");
    const Channel noise = white_noise(48'000, 1);
    const float* const channel = noise.data();
    SoundWriter writer(file, 1, 48'000);
    writer.write(&channel, 48'000);
    writer.finish();
    return file;
}

int lines(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE(
    "render on a disk that gets full reports it once, exits with 73 and leaves the earlier file alone") {
    const TemporaryFolder folder;
    const std::string in = noise_in(folder), out = folder.file("out.wav");
    SECTION("where there was a file") {
        folder.write("out.wav", "the take of last night");
    }
    SECTION("where there was none") {}
    const bool was_there = fs::exists(out);
    const int entries = folder.size();
    const FullDisk disk(100'000);
    Program render({"render", hello, in, "-o", out});
    CHECK(render.wait() == 73);
    INFO(render.words());
    CHECK(lines(render.standard_error()) == 1);
    CHECK(has(render.standard_error(), "out.wav: cannot be written: "));
    CHECK(render.standard_output().empty());
    CHECK(folder.read("out.wav") == (was_there ? "the take of last night" : ""));
    CHECK(folder.size() == entries);
}

TEST_CASE("render through a link to a full device exits with 73, and the link stays") {
    if (!fs::exists("/dev/full")) return;  // only Linux has it
    const TemporaryFolder folder;
    const std::string in = noise_in(folder), out = folder.file("out.wav");
    fs::create_symlink("/dev/full", out);
    const int entries = folder.size();
    Program render({"render", hello, in, "-o", out});
    CHECK(render.wait() == 73);
    INFO(render.words());
    CHECK(lines(render.standard_error()) == 1);
    CHECK(has(render.standard_error(), "out.wav: cannot be written: No space left on device"));
    CHECK(fs::read_symlink(out) == "/dev/full");
    CHECK(folder.size() == entries);
}

TEST_CASE("run --log on a disk that gets full reports it once, plays on and ends with 73") {
    const TemporaryFolder folder;
    std::string log = folder.file("take.jsonl");
    SECTION("in the middle") {}
    SECTION("from the first line on") {
        if (!fs::exists("/dev/full")) return;
        log = "/dev/full";
    }
    const FullDisk disk(4'000);  // less than the patch in a log, more than the output of the program
    Program live({"run", source_dir() + "/patches/midi-showcase.toml", "--null", "--json", "--seconds", "0.5",
                  "--log", log});
    CHECK(live.wait() == 73);
    INFO(live.words());
    const auto problems = live.events("problem");
    REQUIRE(problems.size() == 1);
    CHECK(has(problems[0].at("text"), log + ": could not be written (is the disk full?)"));
    CHECK(has(problems[0].at("text"), "playing goes on"));
    CHECK(live.events("summary").at(0).at("seconds") >= 0.5);
}

TEST_CASE("run --log to a place that can't be written to is refused before a sound") {
    Program live({"run", hello, "--null", "--log", "/nowhere/take.jsonl"});
    CHECK(live.wait() == 73);
    CHECK(has(live.standard_error(), "/nowhere/take.jsonl: cannot be written"));
    CHECK(lines(live.standard_error()) == 1);
}

}  // namespace gainstage::test::full_disk_test
