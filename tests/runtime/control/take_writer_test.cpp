#include "runtime/control/take_writer.hpp"

#include <poll.h>

#include <chrono>
#include <fstream>
#include <future>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"

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
                      [&](const std::string& trouble) { troubles.push_back(trouble); });
    bool open = false;
    writer.open([&](const std::string& error) { open = error.empty(); });
    REQUIRE(turn_until(inbox, [&] { return open; }));
    std::promise<void> disk_is_back;
    writer.worker().run([&] { disk_is_back.get_future().wait(); });
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
    bool finished = false;
    writer.finish([&] { finished = true; });
    REQUIRE(turn_until(inbox, [&] { return finished; }));
    CHECK(troubles.empty());
    CHECK(writer.lost() == 0);
    CHECK(lines_in(log) == 1 + 1'000);
    CHECK(writer.recorded() == 10'000);
    CHECK(read_sound_file(folder.file("take.wav")).channels[0].size() == 10'000);
}

TEST_CASE("what finds no room while the disk hangs is lost, counted, and told once with its time") {
    const TemporaryFolder folder;
    const std::string log = folder.file("take.jsonl");
    Inbox inbox;
    std::vector<std::string> troubles;
    InputTap tap(1, 150);
    TakeWriter writer({.log = log, .record = folder.file("take.wav"), .tap = &tap, .most = 10}, inbox,
                      [&](const std::string& trouble) { troubles.push_back(trouble); });
    bool open = false;
    writer.open([&](const std::string& error) { open = error.empty(); });
    REQUIRE(turn_until(inbox, [&] { return open; }));
    std::promise<void> disk_is_back;
    writer.worker().run([&] { disk_is_back.get_future().wait(); });
    const std::vector<float> sound(100, 0.5f);
    const float* const channel = sound.data();
    for (std::uint64_t k = 0; k < 25; ++k) writer.take(panic_at(k));
    for (int k = 0; k < 3; ++k) tap.push(&channel, 100);
    writer.drain();
    CHECK(writer.lost() == 15);
    disk_is_back.set_value();
    bool finished = false;
    writer.finish([&] { finished = true; });
    REQUIRE(turn_until(inbox, [&] { return finished; }));
    REQUIRE(troubles.size() == 2);
    CHECK(troubles[0].find(log + ": the disk is too slow, lines are missing from 0.00 s on") == 0);
    CHECK(troubles[1].find("take.wav: the disk is too slow, a part of the recording is silence") !=
          std::string::npos);
    CHECK(lines_in(log) == 1 + 10);
    CHECK(read_sound_file(folder.file("take.wav")).channels[0].size() == 300);  // lost sound is silence
}

TEST_CASE("a file that can't be made is told when it is opened") {
    Inbox inbox;
    TakeWriter writer({.log = "/nowhere/take.jsonl"}, inbox, [](const std::string&) {});
    std::string error;
    writer.open([&](const std::string& cause) { error = cause; });
    REQUIRE(turn_until(inbox, [&] { return !error.empty(); }));
    CHECK(error.find("/nowhere/take.jsonl: cannot be written") == 0);
}

}  // namespace gainstage::test::take_writer_test
