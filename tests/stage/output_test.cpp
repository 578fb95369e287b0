/// Nothing that happens to the program's output, its terminal or its readers stops the music or loses a take.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "runtime/io/sound_file.hpp"
#include "tests/stage/program.hpp"
#include "tests/stage/recorded_take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/signals.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::output_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Take = RecordedTake;

namespace {

const std::string hello = source_dir() + "/patches/hello.toml";

class Pipe {
public:
    Pipe() {
        if (pipe(ends_) != 0) throw std::runtime_error("no pipe");
        for (const int end : ends_) fcntl(end, F_SETFD, FD_CLOEXEC);
    }
    ~Pipe() {
        close_reader();
        close_writer();
    }
    int writer() const { return ends_[1]; }
    void close_reader() { shut(0); }
    void close_writer() { shut(1); }
    /// Until nothing more fits: like a reader that was paused long ago.
    void fill() const {
        fcntl(ends_[1], F_SETFL, O_NONBLOCK);
        const std::string junk(512, '\n');
        while (::write(ends_[1], junk.data(), junk.size()) > 0) {
        }
        while (::write(ends_[1], junk.data(), 1) > 0) {
        }
        fcntl(ends_[1], F_SETFL, 0);
    }
    /// Waits for something to read.
    std::string read_some() const {
        char bytes[4096];
        const ssize_t count = ::read(ends_[0], bytes, sizeof bytes);
        return {bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }

private:
    void shut(int end) {
        if (ends_[end] >= 0) close(std::exchange(ends_[end], -1));
    }
    int ends_[2];
};

/// A pseudo-terminal whose other end is read all the time, as a terminal's window does.
class Terminal {
public:
    Terminal() : window_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (window_ < 0 || grantpt(window_) != 0 || unlockpt(window_) != 0)
            throw std::runtime_error("no pseudo-terminal");
        line_ = open(ptsname(window_), O_RDWR | O_NOCTTY | O_CLOEXEC);
        reader_ = std::thread([this] { read(); });
    }
    ~Terminal() {
        close_line();
        close_window();
    }
    Streams streams() const { return {.in = line_, .out = line_, .err = line_, .terminal = line_}; }
    /// The test's own copy of the program's end.
    void close_line() {
        if (line_ >= 0) close(std::exchange(line_, -1));
    }
    void type(char key) const { REQUIRE(::write(window_, &key, 1) == 1); }
    bool shows(const std::string& part) {
        return becomes_so([&] {
            const std::lock_guard lock(mutex_);
            return has(shown_, part);
        });
    }
    std::size_t length() {
        const std::lock_guard lock(mutex_);
        return shown_.size();
    }
    /// As if its window was closed, or the connection was cut.
    void close_window() {
        if (window_ < 0) return;
        leaving_ = true;
        reader_.join();
        close(std::exchange(window_, -1));
    }

private:
    void read() {
        fcntl(window_, F_SETFL, O_NONBLOCK);
        while (!leaving_) {
            char bytes[4096];
            const ssize_t count = ::read(window_, bytes, sizeof bytes);
            if (count <= 0) {
                std::this_thread::sleep_for(2ms);
                continue;
            }
            const std::lock_guard lock(mutex_);
            shown_.append(bytes, static_cast<std::size_t>(count));
        }
    }
    int window_, line_ = -1;
    std::atomic<bool> leaving_{false};
    std::mutex mutex_;
    std::string shown_;
    std::thread reader_;
};

}  // namespace

// ------------------------ full and closed streams

TEST_CASE("outputs that are full or closed change nothing of a take, nor of its exit code") {
    const int out = GENERATE(Streams::as_usual, Streams::full, Streams::closed);
    const int err = GENERATE(Streams::as_usual, Streams::full, Streams::closed);
    const int in = GENERATE(Streams::as_usual, Streams::closed);
    const Take take;
    Program program(take.run({"--json", "--seconds", "0.3"}), {.in = in, .out = out, .err = err});
    INFO(in << " " << out << " " << err);
    CHECK(program.wait() == 0);
    CHECK(take.check() >= 0.3);
}

TEST_CASE("plain lines that can't be written change nothing either") {
    const int err = GENERATE(Streams::full, Streams::closed);
    const Take take;
    Program program(take.run({"--seconds", "0.3"}), {.err = err});
    CHECK(program.wait() == 0);
    CHECK(take.check() >= 0.3);
}

TEST_CASE("a message that can't be written is lost, and exit codes stay what they are") {
    const int err = GENERATE(Streams::full, Streams::closed);
    const TemporaryFolder folder;
    const std::string bad = folder.write("bad.toml", "format = 2\n");
    const auto code_of = [&](const std::vector<std::string>& arguments) {
        Program program(arguments, {.err = err});
        return program.wait();
    };
    CHECK(code_of({"check", "nosuch.toml"}) == 66);
    CHECK(code_of({"check", bad}) == 65);
    CHECK(code_of({"run", "nosuch.toml", "--null"}) == 66);
    CHECK(code_of({"run", hello, "--null", "--record", "/nowhere/take.wav"}) == 73);
    CHECK(code_of({"info", hello}) == 65);
    CHECK(code_of({"render", hello, "nosuch.wav", "-o", folder.file("out.wav")}) == 66);
    CHECK(code_of({"dance"}) == 64);
    CHECK(code_of({}) == 64);
}

TEST_CASE("a program whose product can't be written ends with 73 and says why") {
    const TemporaryFolder folder;
    const std::string model = source_dir() + "/models/opto-textbook.safetensors", in = silence_in(folder, 1),
                      out = folder.file("out.wav");
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{"--help"},
                                               {"--version"},
                                               {"run", "--help"},
                                               {"check", hello},
                                               {"check", hello, "--json"},
                                               {"devices", "--json"},
                                               {"nodes"},
                                               {"nodes", "gain"},
                                               {"nodes", "--json"},
                                               {"info", model},
                                               {"info", model, "--no-probe", "--json"},
                                               {"bench", hello, "--seconds", "0.1"},
                                               {"render", hello, in, "-o", out},
                                               {"render", hello, in, "-o", out, "--json"}}) {
        INFO(arguments[0] << " " << arguments.back());
        Program told(arguments, {.out = Streams::full});
        CHECK(told.wait() == 73);
        CHECK(has(told.standard_error(),
                  "gainstage: standard output: cannot be written: No space left on device"));
        Program untold(arguments, {.out = Streams::full, .err = Streams::full});
        CHECK(untold.wait() == 73);
        Program closed(arguments, {.out = Streams::closed});
        CHECK(closed.wait() == 73);
        CHECK(has(closed.standard_error(),
                  "gainstage: standard output: cannot be written: it was closed at the start"));
    }
    CHECK(read_sound_file(out).channels[0].size() == 48'000);
    Program bad({"check", "nosuch.toml", "--json"}, {.out = Streams::full});
    CHECK(bad.wait() == 66);
    // What prints no product needs no standard output.
    Program quiet({"render", hello, in, "-o", out, "--quiet"}, {.out = Streams::closed});
    CHECK(quiet.wait() == 0);
    Program lost({"render", hello, in, "-o", "/dev/stdout", "--quiet"}, {.out = Streams::closed});
    CHECK(lost.wait() == 73);
    CHECK(has(lost.standard_error(), "/dev/stdout: cannot be written: it is not open for writing"));
}

TEST_CASE("a reader that has seen enough, such as head, ends a program with 73 and without a word") {
    Pipe pipe;
    pipe.close_reader();
    Program program({"nodes", "--json"}, {.out = pipe.writer()});
    CHECK(program.wait() == 73);
    CHECK(program.standard_error().empty());
}

// ------------------------ readers

TEST_CASE("a reader of --json that goes away does not end the music, and that is said once") {
    const Take take;
    Pipe pipe;
    Program program(take.run({"--json", "--seconds", "3.2"}), {.out = pipe.writer()});
    CHECK(has(pipe.read_some(), "\"started\""));
    pipe.close_reader();
    CHECK(program.wait() == 0);
    CHECK(program.standard_error() == "gainstage: nobody reads standard output any more; playing goes on\n");
    CHECK(take.check() >= 3.2);
}

TEST_CASE("a reader of --json that is paused holds up no edit, no recording and no end") {
    const Take take;
    Pipe pipe;
    pipe.fill();
    Program program(take.run({"--json"}), {.out = pipe.writer()});
    REQUIRE(take.plays());
    take.write(-6.);
    CHECK(take.plays(2));
    std::this_thread::sleep_for(300ms);
    program.signal(SIGTERM);
    CHECK(program.wait() == 0);
    CHECK(take.check() >= 0.3);
    CHECK(has(take.folder().read("take.log"), "fade_out_ms"));
}

TEST_CASE("a terminal that is held by Ctrl-S holds up no edit, no recording and no end") {
    const Take take;
    Terminal terminal;
    Program program(take.run({}), terminal.streams());
    terminal.close_line();
    REQUIRE(terminal.shows("plays on no device"));
    REQUIRE(take.plays());
    terminal.type('\x13');
    std::this_thread::sleep_for(300ms);
    const std::size_t length = terminal.length();
    take.write(-6.);
    CHECK(take.plays(2));
    std::this_thread::sleep_for(500ms);
    CHECK(terminal.length() == length);  // it was held indeed
    SECTION("a signal ends it") {
        program.signal(SIGTERM);
    }
    SECTION("Ctrl-C ends it") {
        terminal.type('\x03');
    }
    SECTION("Ctrl-Q shows what is true then") {
        terminal.type('\x11');
        CHECK(becomes_so([&] { return terminal.length() > length; }));
        program.signal(SIGTERM);
        CHECK(terminal.shows("played "));
    }
    CHECK(program.wait() == 0);
    CHECK(take.check() >= 0.8);
    CHECK(has(take.folder().read("take.log"), "fade_out_ms"));
}

TEST_CASE("a terminal that is held does not hold up a render behind its progress bar") {
    const TemporaryFolder folder;
    const std::string in = silence_in(folder, 240);
    Terminal terminal;
    Streams streams = terminal.streams();
    streams.out = Streams::as_usual;
    Program program({"render", source_dir() + "/patches/vocal.toml", in, "-o", folder.file("out.wav")},
                    streams);
    terminal.close_line();
    REQUIRE(terminal.shows("%"));
    terminal.type('\x13');
    CHECK(program.wait() == 0);
    CHECK(has(program.standard_output(), "out.wav: 240.0 s"));
}

TEST_CASE("a terminal that is closed fades out and finishes the files; with nohup it plays on") {
    const bool plays_on = GENERATE(false, true);
    const Take take;
    Terminal terminal;
    Streams streams = terminal.streams();
    streams.ignores_hangup = plays_on;
    Program program(take.run({}), streams);
    terminal.close_line();
    REQUIRE(terminal.shows("plays on no device"));
    REQUIRE(take.plays());
    terminal.close_window();
    if (plays_on) {
        take.write(-6.);
        CHECK(take.plays(2));
        CHECK(program.is_running());
        program.signal(SIGTERM);
    }
    CHECK(program.wait() == 0);
    take.check();
    CHECK(has(take.folder().read("take.log"), "fade_out_ms"));
}

// ------------------------ descriptors

TEST_CASE("with any number of descriptors a session plays or says which limit is in the way") {
    const TemporaryFolder folder;
    for (int count = 4; count <= 20; ++count) {
        INFO(count << " descriptors");
        Program plain({"run", hello, "--null", "--seconds", "0.1"}, {.descriptors = count});
        Program full({"run", hello, "--null", "--seconds", "0.1", "--rehearse", "--record",
                      folder.file("take.wav"), "--log", folder.file("take.log"), "--overwrite"},
                     {.descriptors = count});
        for (Program* program : {&plain, &full}) {
            const int code = program->wait();
            INFO(code << ": " << program->words());
            if (code == 0) continue;
            CHECK((code == 73 || code == 78));
            CHECK(has(program->standard_error(),
                      fmt::format("too many open files: {} are allowed (ulimit -n)", count)));
        }
        if (count >= 8) CHECK(plain.wait() == 0);
        if (count >= 16) CHECK(full.wait() == 0);
    }
}

}  // namespace gainstage::test::output_test
