#include "runtime/control/take_writer.hpp"

#include <poll.h>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <fstream>
#include <future>
#include <limits>

#include "runtime/engine/take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::take_writer_test {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

/// Turns as a session's loop does, until something is so.
template <class IsSo>
bool turn_until(Inbox& inbox, IsSo is_so) {
    const auto end = Clock::now() + 20s;
    while (!is_so()) {
        if (Clock::now() > end) return false;
        pollfd waited{.fd = inbox.fd(), .events = POLLIN, .revents = 0};
        ::poll(&waited, 1, 100);
        for (const auto& result : inbox.take().results) result();
    }
    return true;
}

/// Opens it; then its disk hangs until the promise is kept.
void open_on_hung_disk(TakeWriter& writer, Inbox& inbox, std::promise<void>& disk_is_back) {
    bool open = false;
    writer.open([&](const Failure& failure) { open = !failure; });
    REQUIRE(turn_until(inbox, [&] { return open; }));
    writer.worker().run([&disk_is_back] { disk_is_back.get_future().wait(); });
}

void finish(TakeWriter& writer, Inbox& inbox) {
    bool finished = false;
    writer.finish([&] { finished = true; });
    REQUIRE(turn_until(inbox, [&] { return finished; }));
}

SessionReport panic_at(std::uint64_t sample) {
    SessionReport report{.kind = SessionReport::Kind::event};
    report.at = sample;
    report.event.kind = EventKind::panic;
    return report;
}

int lines_in(const std::string& file) {
    std::ifstream stream(file);
    int lines = 0;
    for (std::string line; std::getline(stream, line);) ++lines;
    return lines;
}

}  // namespace

TEST_CASE("what comes while the disk hangs is written when it is back, and nobody has waited") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.jsonl");
    Inbox inbox;
    std::vector<std::string> troubles;
    InputTap tap(1, 48'000);
    TakeWriter writer({.log = log, .record = folder.file("take.wav"), .tap = &tap}, inbox,
                      {.trouble = [&](const std::string& trouble) { troubles.push_back(trouble); }});
    std::promise<void> disk_is_back;
    open_on_hung_disk(writer, inbox, disk_is_back);
    const std::vector<float> sound(100, 0.5f);
    const float* const channel = sound.data();
    const auto begin = Clock::now();
    for (std::uint64_t k = 0; k < 1'000; ++k) {
        writer.take(panic_at(k));
        if (k % 10 == 0) tap.push(&channel, 100);
        writer.drain();
    }
    CHECK(Clock::now() - begin < 2s);
    disk_is_back.set_value();
    finish(writer, inbox);
    CHECK(troubles.empty());
    CHECK(writer.lost() == 0);
    CHECK(lines_in(log) == 1 + 1'000 + 1);  // the last one knows the recording
    CHECK(writer.recorded() == 10'000);
    CHECK(read_sound_file(folder.file("take.wav")).channels[0].size() == 10'000);
}

TEST_CASE("the log's last line knows the recording by all its samples, however they came") {
    const auto last_line = [](int block) {
        const TemporaryFolder folder;
        Inbox inbox;
        InputTap tap(2, 48'000);
        TakeWriter writer({.log = folder.file("t.log"), .record = folder.file("t.wav"), .tap = &tap}, inbox,
                          {.trouble = [](const std::string& trouble) { FAIL_CHECK(trouble); }});
        bool open = false;
        writer.open([&](const Failure& failure) { open = !failure; });
        REQUIRE(turn_until(inbox, [&] { return open; }));
        std::array<std::vector<float>, 2> sound;
        for (auto& channel : sound) channel.resize(6'000);
        for (std::size_t k = 0; k < 6'000; ++k) {
            sound[0][k] = 0.001f * static_cast<float>(k);
            sound[1][k] = k == 70 ? std::numeric_limits<float>::infinity() : -0.f;
        }
        for (int done = 0; done < 6'000; done += block) {
            const std::array<const float*, 2> at{sound[0].data() + done, sound[1].data() + done};
            tap.push(at.data(), block);
            writer.drain();
        }
        finish(writer, inbox);
        const auto file = read_sound_file(folder.file("t.wav"));
        REQUIRE(file.channels.size() == 2);
        SoundPrint print;
        const std::array<const float*, 2> read{file.channels[0].data(), file.channels[1].data()};
        print.add(read.data(), 2, static_cast<int>(file.channels[0].size()));
        const std::string text = folder.read("t.log"),
                          line = text.substr(text.rfind('\n', text.size() - 2) + 1);
        CHECK(line ==
              fmt::format("{{\"recorded\":{{\"channels\":2,\"fnv1a64\":\"{:016x}\",\"frames\":6000}}}}\n",
                          print.value()));
        return line;
    };
    CHECK(last_line(100) == last_line(6'000));
}

TEST_CASE("a log that grows large is told of, and again at twice the size") {
    const TemporaryFolder folder;
    Inbox inbox;
    std::vector<std::string> notes;
    TakeWriter writer({.log = folder.file("take.log"), .large_log = 2'000}, inbox,
                      {.trouble = [](const std::string& trouble) { FAIL_CHECK(trouble); },
                       .note = [&](const std::string& note) { notes.push_back(note); }});
    bool open = false;
    writer.open([&](const Failure& failure) { open = !failure; });
    REQUIRE(turn_until(inbox, [&] { return open; }));
    const auto panics = [&](std::uint64_t from, std::uint64_t count) {
        for (std::uint64_t k = from; k < from + count; ++k) writer.take(panic_at(k));
        REQUIRE(turn_until(inbox, [&] { return !writer.worker().is_busy(); }));
        for (const auto& result : inbox.take().results) result();
    };
    panics(0, 20);  // 200 bytes of head, and some 25 a line
    CHECK(notes.empty());
    panics(20, 80);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("take.log: has grown to 2 kB, and its disk has room for ") != std::string::npos);
    panics(100, 10);
    CHECK(notes.size() == 1);
    panics(110, 100);
    CHECK(notes.size() == 2);
    finish(writer, inbox);
}

TEST_CASE("what finds no room while the disk hangs is lost, counted, and told once with its time") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.jsonl");
    Inbox inbox;
    std::vector<std::string> troubles;
    InputTap tap(1, 150);
    TakeWriter writer({.log = log, .record = folder.file("take.wav"), .tap = &tap, .most = 10}, inbox,
                      {.trouble = [&](const std::string& trouble) { troubles.push_back(trouble); }});
    std::promise<void> disk_is_back;
    open_on_hung_disk(writer, inbox, disk_is_back);
    const std::vector<float> sound(100, 0.5f);
    const float* const channel = sound.data();
    for (std::uint64_t k = 0; k < 25; ++k) writer.take(panic_at(k));
    for (int k = 0; k < 3; ++k) tap.push(&channel, 100);
    writer.drain();
    CHECK(writer.lost() == 15);
    disk_is_back.set_value();
    finish(writer, inbox);
    REQUIRE(troubles.size() == 2);
    CHECK(troubles[0].find(log + ": the disk is too slow, lines are missing from 0.00 s on") == 0);
    CHECK(troubles[1].find("take.wav: the disk is too slow, a part of the recording is silence") !=
          std::string::npos);
    CHECK(lines_in(log) == 1 + 10 + 1 + 1);
    // The samples of panic_at() are those that the log lacks.
    CHECK(folder.read("take.jsonl").find("{\"at\":24,\"lost\":{\"from\":10,\"lines\":15,\"to\":24}}") !=
          std::string::npos);
    CHECK(read_sound_file(folder.file("take.wav")).channels[0].size() == 300);  // lost sound is silence
}

TEST_CASE("lines that a full disk has lost are counted in the first line, and later ones follow whole") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.log");
    SessionReport fade{.kind = SessionReport::Kind::fade};
    fade.patch =
        std::make_shared<const PlayedPatch>(PlayedPatch{.file = "song.toml", .text = "", .models = {}});
    TakeLog take(log, 48'000.);
    take.write(fade);
    take.flush();
    const auto lines = [&](std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t k = first; k <= last; ++k) take.write(panic_at(k));
        take.flush();
    };
    lines(1, 3);
    REQUIRE(take.good());
    {
        const FullDisk disk(folder.read("take.unfinished.log").size() + 15);  // a part of a line
        lines(4, 8);
        lines(9, 9);
        CHECK_FALSE(take.good());
        CHECK(take.lost() == 6);
        CHECK(read_take(folder.file("take.unfinished.log")).events.size() == 3);
    }
    lines(10, 11);
    take.finish();
    const Take read = read_take(log);
    REQUIRE(read.losses.size() == 1);
    CHECK(read.losses[0] == Loss{.kind = Loss::Kind::lines, .from = 4, .to = 9, .count = 6});
    REQUIRE(read.events.size() == 5);
    CHECK(read.events[3].event.stamp == 10);
}

TEST_CASE("a file that can't be made is told when it is opened") {
    Inbox inbox;
    TakeWriter writer({.log = "/nowhere/take.jsonl"}, inbox, {.trouble = [](const std::string&) {}});
    std::string error;
    writer.open([&](const Failure& failure) { error = failure.text; });
    REQUIRE(turn_until(inbox, [&] { return !error.empty(); }));
    CHECK(error.find("/nowhere/take.jsonl: cannot be written") == 0);
}

namespace {

/// A take of a thousand samples and one panic, whose writer says what it has to say.
class ShortTake {
public:
    explicit ShortTake(TakeWriter::Files files) : writer_(with_tap(std::move(files)), inbox_, listener()) {
        bool is_open = false;
        writer_.open([&](const Failure& failure) {
            error = failure.text;
            is_open = true;
        });
        REQUIRE(turn_until(inbox_, [&] { return is_open; }));
    }
    void play() {
        const std::vector<float> sound(1'000, 0.5f);
        const float* const channel = sound.data();
        tap_.push(&channel, 1'000);
        writer_.take(panic_at(5));
        writer_.drain();
        REQUIRE(turn_until(inbox_, [&] { return writer_.recorded() == 1'000; }));
    }
    void finish() { take_writer_test::finish(writer_, inbox_); }
    void discard() {
        bool discarded = false;
        writer_.discard([&] { discarded = true; });
        REQUIRE(turn_until(inbox_, [&] { return discarded; }));
    }

    std::string error;
    std::vector<std::string> troubles, notes;

private:
    TakeWriter::Files with_tap(TakeWriter::Files files) {
        files.tap = &tap_;
        return files;
    }
    TakeWriter::Listener listener() {
        return {.trouble = [this](const std::string& text) { troubles.push_back(text); },
                .note = [this](const std::string& text) { notes.push_back(text); }};
    }

    Inbox inbox_;
    InputTap tap_{1, 48'000};
    TakeWriter writer_;
};

std::size_t frames_in(const std::string& file) {
    return read_sound_file(file).channels[0].size();
}

}  // namespace

TEST_CASE("an earlier take stays, and log and recording of the new one get the same number") {
    const TemporaryFolder folder;
    folder.write("take.log", "the night before");
    const TakeWriter::Files files{.log = folder.file("take.log"), .record = folder.file("take.wav")};
    for (const int number : {2, 3}) {
        ShortTake take(files);
        REQUIRE(take.error.empty());
        REQUIRE(take.notes.size() == 1);
        CHECK(has(take.notes[0],
                  "an earlier take has this name and stays as it is (--overwrite replaces it); this "
                  "one is " +
                      folder.file("take-" + std::to_string(number) + ".wav")));
        take.play();
        take.finish();
        CHECK(take.troubles.empty());
        CHECK(lines_in(folder.file("take-" + std::to_string(number) + ".log")) == 3);
        CHECK(frames_in(folder.file("take-" + std::to_string(number) + ".wav")) == 1'000);
    }
    CHECK(folder.read("take.log") == "the night before");
    CHECK(folder.size() == 5);
}

TEST_CASE("with overwrite an earlier take is replaced when the new one is whole, not before") {
    const TemporaryFolder folder;
    folder.write("take.log", "the night before");
    folder.write("take.wav", "its sound");
    ShortTake take({.log = folder.file("take.log"), .record = folder.file("take.wav"), .overwrite = true});
    REQUIRE(take.error.empty());
    take.play();
    CHECK(folder.read("take.log") == "the night before");
    CHECK(folder.read("take.wav") == "its sound");
    SECTION("whole") {
        take.finish();
        CHECK(lines_in(folder.file("take.log")) == 3);
        CHECK(frames_in(folder.file("take.wav")) == 1'000);
        CHECK(folder.size() == 2);
        CHECK(take.troubles.empty());
    }
    SECTION("the last step fails") {
        std::filesystem::remove(folder.path() / "take.wav");
        std::filesystem::create_directory(folder.path() / "take.wav");
        take.finish();
        REQUIRE(take.troubles.size() == 1);
        CHECK(has(take.troubles[0], "what was made is kept as " + folder.file("take.unfinished.wav")));
        CHECK(frames_in(folder.file("take.unfinished.wav")) == 1'000);
    }
}

TEST_CASE("a take that never plays leaves nothing, and nothing of an earlier one is touched") {
    const TemporaryFolder folder;
    folder.write("take.log", "the night before");
    TakeWriter::Files files{.log = folder.file("take.log"), .record = folder.file("take.wav")};
    SECTION("with a number") {}
    SECTION("with overwrite") {
        files.overwrite = true;
    }
    SECTION("where the second file can't be made") {
        files.record = "/nowhere/take.wav";
    }
    ShortTake take(files);
    take.discard();
    CHECK(folder.read("take.log") == "the night before");
    CHECK(folder.size() == 1);
}

TEST_CASE("a take whose program dies can be read up to there, and the next one says where it lies") {
    const TemporaryFolder folder;
    const TakeWriter::Files files{.log = folder.file("take.log"), .record = folder.file("take.wav")};
    {
        ShortTake take(files);
        take.play();
        CHECK(frames_in(folder.file("take.unfinished.wav")) == 1'000);  // while it grows
        CHECK(lines_in(folder.file("take.unfinished.log")) == 2);
    }
    CHECK(frames_in(folder.file("take.unfinished.wav")) == 1'000);
    ShortTake next(files);
    REQUIRE(next.notes.size() == 2);
    CHECK(
        has(next.notes[0], folder.file("take.unfinished.log") + ": an earlier take that was never finished"));
    CHECK(
        has(next.notes[1], folder.file("take.unfinished.wav") + ": an earlier take that was never finished"));
    next.play();
    next.finish();
    CHECK(frames_in(folder.file("take.wav")) == 1'000);
    CHECK(folder.size() == 4);
}

TEST_CASE("log and recording are refused where they would be the patch, a model, or each other") {
    const TemporaryFolder folder;
    const std::string patch = folder.write("song.toml", "a song");
    std::filesystem::create_symlink("song.toml", folder.path() / "link");
    CHECK(has(ShortTake({.log = folder.file("link"), .inputs = {patch}}).error,
              "it is read as well, as " + patch));
    CHECK(
        has(ShortTake({.record = patch, .overwrite = true, .inputs = {patch}}).error, "it is read as well"));
    CHECK(has(ShortTake({.log = folder.file("x"), .record = folder.file("x")}).error, "is the same file"));
    CHECK(folder.read("song.toml") == "a song");
    CHECK(folder.size() == 2);
}

TEST_CASE("a folder that is moved during a take takes both files along, and that is told") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path() / "takes");
    ShortTake take({.log = folder.file("takes/a.log"), .record = folder.file("takes/a.wav")});
    take.play();
    std::filesystem::rename(folder.path() / "takes", folder.path() / "moved");
    take.finish();
    CHECK(take.troubles.empty());
    REQUIRE(take.notes.size() == 2);
    CHECK(has(take.notes[0],
              "takes/a.wav: its folder was moved; the file is now " + folder.file("moved/a.wav")));
    CHECK(frames_in(folder.file("moved/a.wav")) == 1'000);
    CHECK(lines_in(folder.file("moved/a.log")) == 3);
}

}  // namespace gainstage::test::take_writer_test
