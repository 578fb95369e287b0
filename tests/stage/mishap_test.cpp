/// Mishaps on a stage: servers die, hang and change, and players are in a hurry.

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/stage/performance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::mishap_test {

using namespace std::chrono_literals;

namespace {

const std::string hello = source_dir() + "/patches/hello.toml";

/// A performance on JACK's dummy driver that is already playing.
class Player {
public:
    explicit Player(const std::vector<std::string>& more = {}, const std::string& api = "jack")
        : program_(arguments(more, api)) {
        REQUIRE(program_.tells("playing"));
        REQUIRE(program_.tells("status", 2));
    }
    Program& operator*() { return program_; }
    Program* operator->() { return &program_; }

private:
    static std::vector<std::string> arguments(const std::vector<std::string>& more, const std::string& api) {
        std::vector<std::string> words{"run", hello, "--api", api, "--json"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    Program program_;
};

/// The messages of `run` about its device, one line after another.
std::vector<std::string> said_of_device(const Program& program) {
    std::vector<std::string> texts;
    for (const auto& event : program.events("device_lost")) texts.push_back(event.at("text"));
    return texts;
}

/// Checks that it ended because of its device: it reported so, and then what was played.
void check_lost(Program& program, int lines) {
    CHECK(program.wait() == 69);
    INFO(program.words());
    CHECK(said_of_device(program).size() == static_cast<std::size_t>(lines));
    REQUIRE(program.events("summary").size() == 1);
    CHECK(program.events("summary")[0].at("device_lost") == true);
    CHECK(program.events("summary")[0].at("blocks") > 0);
}

}  // namespace

TEST_CASE("a JACK server that dies ends the performance with one line, the summary and 69") {
    if (!JackServer::is_available()) return;
    JackServer server;
    const TemporaryFolder folder;
    Player player({"--record", folder.file("take.wav"), "--midi", "virtual:knobs"});
    server.kill();
    check_lost(*player, 1);
    CHECK(has(said_of_device(*player).at(0), "system: JACK's server has gone; start again when it is back"));
    CHECK(folder.size() == 1);  // the recording is kept, and no half-written file beside it
    CHECK(std::filesystem::file_size(folder.file("take.wav")) > 1'000);
}

TEST_CASE("a change of JACK's block size ends a performance through RtAudio with one line, and 69") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Player player({}, "rtaudio-jack");
    // JACK may block the command if a client leaves during the change.
    const int status = server.run("jack_bufsize 128");
    CHECK((status == 0 || status == JackServer::held_up));
    check_lost(*player, 1);
    CHECK(has(said_of_device(*player).at(0), "or its block size was changed; start again"));
}

TEST_CASE("a JACK server that hangs is noticed and given up, with its MIDI port") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Player player({"--midi", "virtual:knobs"});
    server.hang();
    SECTION("by itself") {}
    SECTION("when the player wants to stop") {
        player->signal(SIGINT);
    }
    check_lost(*player, 2);
    CHECK(has(said_of_device(*player).at(0), "JACK has stopped calling: its server hangs"));
    CHECK(has(said_of_device(*player).at(1), "does not answer and is left as it is; restart it"));
}

TEST_CASE("a second SIGINT ends the program at once, whatever it waits for") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Player player;
    server.hang();
    while (player->is_running()) {
        player->signal(SIGINT);
        std::this_thread::sleep_for(20ms);
    }
    CHECK(player->wait() == 0);
    CHECK(player->events("summary").empty());  // no time for a summary
}

TEST_CASE("a JACK server that hangs from the start is refused with the remedy") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    server.hang();
    Program program({"run", hello, "--api", "jack"});
    CHECK(program.wait() == 69);
    CHECK(program.standard_error() ==
          "gainstage: the server of audio API \"jack\" runs but does not answer; restart it, or choose "
          "another API by --api\n");
}

TEST_CASE("without a server or the named device, run plays nothing and lists what there is") {
    if (!JackServer::is_available()) return;
    SECTION("no server") {
        setenv("JACK_DEFAULT_SERVER", "gainstage-test-nobody", 1);
        Program program({"run", hello, "--api", "jack"});
        CHECK(program.wait() == 69);
        unsetenv("JACK_DEFAULT_SERVER");
        INFO(program.words());
        CHECK(has(program.standard_error(), "gainstage: no default output device of API \"jack\"; there is"));
    }
    SECTION("no such device") {
        const JackServer server;
        Program program({"run", hello, "--device", "Scarlett"});
        CHECK(program.wait() == 69);
        INFO(program.words());
        CHECK(has(program.standard_error(), "no audio device is called \"Scarlett\"; there is:"));
        CHECK(has(program.standard_error(), "jack   system (2 in, 2 out)"));
    }
    SECTION("no such MIDI port") {
        const JackServer server;
        Program program({"run", hello, "--api", "jack", "--midi", "Launch Control"});
        CHECK(program.wait() == 69);
        INFO(program.words());
        CHECK(has(program.standard_error(), "no MIDI port is called \"Launch Control\"; there"));
    }
}

TEST_CASE("the first SIGINT or SIGTERM fades out without a click and exits with 0") {
    if (!JackServer::is_available()) return;
    const int number = GENERATE(SIGINT, SIGTERM);
    const JackServer server;
    const TemporaryFolder folder;
    const std::string file = folder.write("plain.toml", patch(R"("in -> trim -> out")", gain("trim", 0.)));
    Performance live(server, file, {.outputs = 1});
    constexpr int length = 60 * 48'000;  // longer than a loaded machine takes
    live.tape().start(mono(constant(length, 0.5f)), length);
    live.tape().wait_for(24'000);
    live.program().signal(number);
    CHECK(live.program().wait() == 0);
    CHECK(live.program().events("silent").size() == 1);
    live.tape().wait_for(live.tape().frames() + 1'024);
    const Channel heard = live.tape().recorded()[0];
    REQUIRE(heard.size() > 24'000);
    CHECK(heard[20'000] == 0.5f);
    CHECK(heard.back() == 0.f);
    // From 0.5 to 0 in 50 ms is a step of 0.00021 from sample to sample; a cut-off would be a step of 0.5.
    double steepest = 0.;
    for (std::size_t k = 20'000; k + 1 < heard.size(); ++k)
        steepest = std::max(steepest, std::abs(static_cast<double>(heard[k + 1]) - heard[k]));
    CHECK(steepest < 0.001);
}

TEST_CASE("run --seconds ends by itself, counted in time of the stream") {
    if (!JackServer::is_available()) return;
    const JackServer server;
    Program program({"run", hello, "--api", "jack", "--json", "--seconds", "0.5"});
    CHECK(program.wait() == 0);
    INFO(program.words());
    CHECK(said_of_device(program).empty());
    CHECK(program.events("summary").at(0).at("seconds") >= 0.5);
    for (const char* what_queues_lost :
         {"midi_dropped", "reports_lost", "events_lost", "swaps_postponed_turns"})
        CHECK(program.events("summary").at(0).at(what_queues_lost) == 0);
}

TEST_CASE("a program that was stopped and continued has not lost its device") {
    Program program({"run", hello, "--null", "--json"});
    REQUIRE(program.tells("status", 2));
    program.signal(SIGSTOP);
    std::this_thread::sleep_for(1500ms);  // longer than a device may be silent
    program.signal(SIGCONT);
    const std::size_t told = program.events("status").size();
    CHECK(program.tells("status", told + 2));
    program.signal(SIGINT);
    CHECK(program.wait() == 0);
    CHECK(said_of_device(program).empty());
}

}  // namespace gainstage::test::mishap_test
