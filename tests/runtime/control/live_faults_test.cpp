/// Faults on the way to the first sample and while it plays: what plays plays on, and the take is kept.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <stdexcept>

#include "runtime/thread.hpp"
#include "tests/runtime/control/live_stage.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"

namespace gainstage::test::live_faults_test {

using namespace std::chrono_literals;
using namespace live_stage;

// In children: a session locks the memory of its whole process.

TEST_CASE(
    "whatever throws on the way to the first sample ends the start with its reason and leaves nothing "
    "running") {
    struct Step {
        const char* where;
        int code;
        const char* error;
    };
    const auto step =
        GENERATE(Step{"device opens", 69, "no device"}, Step{"device starts", 69, "no start"},
                 Step{"port opens", 69, "no port"}, Step{"strange", 69, "without a reason"},
                 Step{"device has no thread", 78, "no thread for it"},
                 Step{"port has no thread", 78, "no thread for it"},
                 Step{"device has no memory", 78, "there is not enough memory"},
                 Step{"turn while opening", 70, "a fault of Gainstage itself: lost"},
                 Step{"turn while preparing", 78, "no thread"}, Step{"turn while starting", 70, ""});
    INFO(step.where);
    const End end = in_child([step] {
        const TemporaryFolder folder;
        LiveConfig config = recording_in(folder);
        config.midi = {"virtual:knobs"};
        config.seconds = 0.2;
        const std::string where = step.where;
        Inbox* inbox = nullptr;
        const auto throw_in_turn = [&inbox](const std::function<void()>& fault) { inbox->bring(fault); };
        SessionMeans means;
        means.open_device = [&](const AudioRequest& request) -> std::unique_ptr<AudioStream> {
            if (where == "device opens") throw DeviceError("no device");
            if (where == "strange") throw 1;
            if (where == "device has no memory") throw std::bad_alloc();
            if (where == "turn while opening") throw_in_turn([] { throw std::logic_error("lost"); });
            return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{}, [&] {
                if (where == "device starts") throw DeviceError("no start");
                if (where == "device has no thread") throw NoThread("no thread for it");
                if (where == "turn while starting") throw_in_turn([] { throw std::logic_error("lost"); });
            });
        };
        means.open_port = [&](const std::string&, MidiQueue&) -> std::unique_ptr<MidiPort> {
            if (where == "port opens") throw DeviceError("no port");
            if (where == "port has no thread") throw NoThread("no thread for it");
            if (where == "turn while preparing") throw_in_turn([] { throw std::runtime_error("no thread"); });
            return nullptr;
        };
        SessionEnd how;
        {
            LiveSession session(config, all_nodes(), means);
            inbox = &session.inbox();
            how = session.run();
        }
        std::fprintf(stderr, "%d %s, %d alive\n", how.exit_code, how.error.c_str(), SlowDevice::alive.load());
        if (how.exit_code != step.code || how.error.find(step.error) == std::string::npos ||
            SlowDevice::alive != 0)
            _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a fault of our own while it plays is told, it plays on, and the take is whole") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        const LiveConfig config = recording_in(folder);
        Stage stage(config, watched());
        stage.listener().wait_for(Kind::playing);
        stage.inbox().bring([] { throw std::logic_error("lost"); });
        stage.inbox().bring([] { throw 1; });
        const SessionReport told = stage.listener().wait_for(Kind::problem);
        const Answer answer = stage.ask({.kind = Command::Kind::sync});
        std::this_thread::sleep_for(200ms);
        const SessionEnd how = stage.quit();
        const LiveSummary summary = *stage.listener().all(Kind::summary).at(0).summary;
        const SoundData recorded = read_sound_file(config.record);
        std::fprintf(stderr, "%d %s, %zu frames of %.3f s\n", how.exit_code, told.text.c_str(),
                     recorded.channels[0].size(), summary.seconds);
        const bool is_whole =
            std::abs(static_cast<double>(recorded.channels[0].size()) - summary.seconds * 48'000.) < 1.;
        if (how.exit_code != 70 || !answer.done || !is_whole || SlowDevice::alive != 0 ||
            told.text != "a fault of Gainstage itself: lost; please report it; what plays plays on")
            _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a fault that comes back every turn stops the stream first, then finishes the recording") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        const LiveConfig config = recording_in(folder);
        Stage stage(config, watched());
        stage.listener().wait_for(Kind::playing);
        std::function<void()> again = [&] {
            stage.inbox().bring(again);
            throw std::logic_error("lost");
        };
        stage.inbox().bring(again);
        const SessionEnd how = stage.wait();
        const SoundData recorded = read_sound_file(config.record);
        std::fprintf(stderr, "%d, %zu frames\n", how.exit_code, recorded.channels[0].size());
        if (how.exit_code != 70 || recorded.channels[0].empty() || SlowDevice::alive != 0) _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a second signal ends a session at once; with a disk that hangs it does not end with 0") {
    struct Case {
        bool disk_hangs;
        int code;
    };
    const auto [disk_hangs, code] = GENERATE(Case{false, 0}, Case{true, 73});
    const End end = in_child([disk_hangs = disk_hangs, code = code] {
        const TemporaryFolder folder;
        LiveConfig config = recording_in(folder);
        const EndSignals signals;
        Stage stage(config, {.end_signals = &signals});
        stage.listener().wait_for(Kind::playing);
        stage.listener().wait_for(Kind::status);
        if (disk_hangs) stage.writer().run([] { std::this_thread::sleep_for(4s); });
        raise(SIGINT);
        std::this_thread::sleep_for(20ms);
        const auto begin = Clock::now();
        raise(SIGINT);
        const SessionEnd how = stage.wait_for_end();
        const bool at_once = Clock::now() - begin < 900ms;
        std::fprintf(stderr, "%d after %.0f ms\n", how.exit_code, Milliseconds(Clock::now() - begin).count());
        const bool is_whole = disk_hangs || !read_sound_file(config.record).channels[0].empty();
        std::filesystem::remove_all(folder.path());  // nobody waits for the session's threads here
        const bool is_told =
            how.error.find("kept as " + folder.file("take.unfinished.wav")) != std::string::npos;
        _exit(how.exit_code == code && is_told == (code != 0) && how.error.empty() == (code == 0) &&
                      at_once && is_whole && how.leaves_threads
                  ? 0
                  : 1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::live_faults_test
