/// A signal ends a program with its files in order, or changes nothing.

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>
#include <utility>

#include "tests/stage/program.hpp"
#include "tests/stage/recorded_take.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::signals_test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Take = RecordedTake;

TEST_CASE("every signal that asks for the end fades out and finishes the files") {
    const auto [number, code] = GENERATE(std::pair{SIGINT, 0}, std::pair{SIGTERM, 0}, std::pair{SIGHUP, 0},
                                         std::pair{SIGQUIT, 0}, std::pair{SIGPWR, 0}, std::pair{SIGXCPU, 78});
    const Take take;
    Program program(take.run({"--json"}));
    REQUIRE(program.tells("status", 1));
    program.signal(number);
    if (number == SIGXCPU) program.signal(number);  // the system repeats it
    CHECK(program.wait() == code);
    if (number == SIGXCPU)
        CHECK(has(program.events("problem").at(0).at("text"), "the limit of processor time is reached"));
    if (number == SIGPWR) CHECK(has(program.events("note").at(0).at("text"), "the power fails"));
    INFO(program.words());
    CHECK(program.events("silent").size() == 1);
    REQUIRE(program.events("summary").size() == 1);
    CHECK(take.check() == Approx(program.events("summary")[0].at("seconds").get<double>()));
}

TEST_CASE("a signal that asks for nothing changes nothing") {
    const Take take;
    Program program(take.run({"--json"}));
    REQUIRE(program.tells("status", 1));
    for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGSTKFLT, SIGWINCH,
                             SIGCHLD, SIGURG, SIGPIPE, SIGRTMIN, SIGRTMIN + 3, SIGRTMAX})
        program.signal(number);
    const std::size_t told = program.events("status").size();
    CHECK(program.tells("status", told + 2));
    CHECK(program.events("silent").empty());
    program.signal(SIGTERM);
    CHECK(program.wait() == 0);
    CHECK(take.check() >= program.events("status").back().at("seconds").get<double>());
}

TEST_CASE("three signals end a program that nobody waits for, and it says where the take lies") {
    const Take take;
    Program program(take.run({}));
    REQUIRE(take.plays());
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) program.signal(number);
    const int code = program.wait();
    INFO(program.words());
    if (code == 0) {  // all was finished between the second and the third
        take.check();
        return;
    }
    CHECK(code == 73);
    CHECK(has(program.standard_error(),
              "log and recording were not finished; what is written of them is kept as " +
                  take.folder().file("take.unfinished.log") + " and " +
                  take.folder().file("take.unfinished.wav")));
    CHECK(std::filesystem::exists(take.folder().file("take.unfinished.wav")));
}

TEST_CASE("a program that was started to outlive its terminal plays on when that hangs up") {
    const Take take;
    Program program(take.run({"--json"}), {.ignores_hangup = true});
    REQUIRE(program.tells("status", 1));
    program.signal(SIGHUP);
    const std::size_t told = program.events("status").size();
    CHECK(program.tells("status", told + 2));
    CHECK(program.events("silent").empty());
    program.signal(SIGTERM);
    CHECK(program.wait() == 0);
    take.check();
}

TEST_CASE("a second Ctrl-C ends at once, and not with 0 if something of the take is missing") {
    const auto pause = GENERATE(0ms, 20ms, 50ms, 70ms);
    const Take take;
    Program program(take.run({"--json"}));
    REQUIRE(program.tells("status", 2));  // about a second of sound
    program.signal(SIGINT);
    std::this_thread::sleep_for(pause);
    program.signal(SIGINT);
    const auto begin = Clock::now();
    const int code = program.wait();
    CHECK(Clock::now() - begin < 3s);
    INFO(program.words());
    CHECK((code == 0 || code == 73));
    if (code == 0) CHECK(take.check() >= program.events("status").back().at("seconds").get<double>());
}

TEST_CASE("a render that is interrupted leaves nothing half-written behind, and the earlier file alone") {
    const int number = GENERATE(SIGINT, SIGTERM, SIGHUP);
    const TemporaryFolder folder;
    const std::string in = silence_in(folder, 240);
    folder.write("out.wav", "the take of last night");
    Program program({"render", source_dir() + "/patches/vocal.toml", in, "-o", folder.file("out.wav")});
    REQUIRE(becomes_so([&] { return folder.size() == 3; }));  // it writes
    program.signal(number);
    CHECK(program.wait() == Program::killed);
    CHECK(folder.size() == 2);
    CHECK(folder.read("out.wav") == "the take of last night");
}

}  // namespace gainstage::test::signals_test
