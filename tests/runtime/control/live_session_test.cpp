/// The session's loop: it waits for nobody.

#include "runtime/control/live_session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "nodes/all_nodes.hpp"
#include "runtime/io/null_device.hpp"
#include "runtime/io/sound_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/temporary_folder.hpp"

namespace gainstage::test::live_session_test {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;
using Kind = SessionReport::Kind;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr auto held_for = 5s;

/// Keeps all reports; any thread may wait for one.
class Listener final : public Sink {
public:
    void take(const SessionReport& report) override {
        const std::lock_guard lock(mutex_);
        reports_.push_back(report);
        changed_.notify_all();
    }
    /// The first that is so, from the `from`-th on; waits for it.
    template <class IsSo>
    SessionReport wait_for(IsSo is_so, std::size_t from = 0) {
        std::unique_lock lock(mutex_);
        const auto end = Clock::now() + 60s;
        for (std::size_t k = from;; ++k) {
            while (k >= reports_.size())
                if (changed_.wait_until(lock, end) == std::cv_status::timeout) give_up();
            if (is_so(reports_[k])) return reports_[k];
        }
    }
    SessionReport wait_for(Kind kind) {
        return wait_for([&](const SessionReport& report) { return report.kind == kind; });
    }
    std::size_t count() {
        const std::lock_guard lock(mutex_);
        return reports_.size();
    }
    std::vector<SessionReport> all(Kind kind) {
        const std::lock_guard lock(mutex_);
        std::vector<SessionReport> found;
        for (const SessionReport& report : reports_)
            if (report.kind == kind) found.push_back(report);
        return found;
    }

private:
    /// In a child: ends it, with all that was reported.
    [[noreturn]] void give_up() const {
        for (const SessionReport& report : reports_)
            std::fprintf(stderr, "%s %s\n", word_of(report.kind), report.text.c_str());
        std::fprintf(stderr, "and no report that was waited for\n");
        _exit(2);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<SessionReport> reports_;
};

/// A device that takes its time, and counts those that are alive: who frees what it plays before it has
/// stopped does not get away with it.
class SlowDevice final : public AudioStream {
public:
    /// How long it takes to open, to start while it already calls, and to stop.
    struct Pauses {
        Clock::duration opening = 0s, starting = 0s, stopping = 50ms;
    };
    /// `on_start` is called when it plays.
    SlowDevice(const AudioRequest& request, Pauses pauses, std::function<void()> on_start = {})
        : pauses_(pauses), on_start_(std::move(on_start)), device_(request) {
        std::this_thread::sleep_for(pauses.opening);
        format_ = device_.format();
        ++alive;
    }
    ~SlowDevice() override {
        stop();
        --alive;
    }
    void start(AudioCallback callback, void* context) override {
        callback_ = callback;
        context_ = context;
        device_.start(&SlowDevice::pass, this);
        while (callbacks() < 3) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(pauses_.starting);
        if (on_start_) on_start_();
    }
    void stop() noexcept override {
        std::this_thread::sleep_for(pauses_.stopping);
        device_.stop();
    }
    bool is_running() const noexcept override { return device_.is_running(); }

    static inline std::atomic<int> alive{0};

private:
    static void pass(void* self, const float* const* in, float* const* out, int frames, bool over,
                     bool under) {
        auto& slow = *static_cast<SlowDevice*>(self);
        slow.callback_(slow.context_, in, out, frames, over, under);
        slow.count_callback();
    }

    const Pauses pauses_;
    const std::function<void()> on_start_;
    NullDevice device_;
    AudioCallback callback_ = nullptr;
    void* context_ = nullptr;
};

/// A session on a thread of its own.
class Stage {
public:
    explicit Stage(const LiveConfig& config, const SessionMeans& means = {}) {
        thread_ = std::thread([this, config, means] {
            LiveSession session(config, all_nodes(), means);
            session.add(listener_);
            session_ = &session;
            made_.set_value();
            end_ = session.run();
            ended_.set_value();
        });
        made_.get_future().wait();
    }
    ~Stage() {
        if (!thread_.joinable()) return;
        inbox().post({.kind = Command::Kind::quit});
        thread_.join();
    }
    Inbox& inbox() { return session_->inbox(); }
    Listener& listener() { return *listener_; }
    /// REQUIRES: started, with a log or a recording.
    Worker& writer() { return *session_->writer(); }
    SessionEnd wait() {
        thread_.join();
        return end_;
    }
    /// The same, without waiting for the threads of the session.
    SessionEnd wait_for_end() {
        ended_.get_future().wait();
        return end_;
    }
    SessionEnd quit() {
        inbox().post({.kind = Command::Kind::quit});
        return wait();
    }
    /// Posts a command, and waits for its answer.
    Answer ask(Command command) {
        const auto answer = std::make_shared<std::promise<Answer>>();
        command.reply = [answer](const Answer& given) { answer->set_value(given); };
        inbox().post(std::move(command));
        return answer->get_future().get();
    }

private:
    const std::shared_ptr<Listener> listener_ = std::make_shared<Listener>();
    std::promise<void> made_, ended_;
    LiveSession* session_ = nullptr;
    SessionEnd end_;
    std::thread thread_;
};

const Command a_panic{.kind = Command::Kind::panic};
const Command a_knob{.kind = Command::Kind::set, .address = "trim.gain_db", .value = -3.f};

std::string song() {
    return patch(R"("in -> trim -> level -> out")", gain("trim", 0.) + node("level", "meter"));
}

LiveConfig config_in(const TemporaryFolder& folder) {
    LiveConfig config;
    config.patch = folder.write("song.toml", song());
    config.null_device = true;
    return config;
}

/// How long commands take until the report says that they were applied, from the fastest to the slowest.
std::vector<double> applied_within_ms(Stage& stage, const Command& command, EventKind kind, int times) {
    std::vector<double> found;
    for (int k = 0; k < times; ++k) {
        const std::size_t before = stage.listener().count();
        const auto begin = Clock::now();
        stage.inbox().post(command);
        stage.listener().wait_for(
            [&](const SessionReport& report) {
                return report.kind == Kind::event && report.event.kind == kind;
            },
            before);
        found.push_back(Milliseconds(Clock::now() - begin).count());
        // Not within the 5 ms of a panic's way down, and not always at the same pace of the loop.
        std::this_thread::sleep_for(10ms + 7ms * (k % 9));
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// The same until they are answered.
std::vector<double> answered_within_ms(Stage& stage, const Command& command, int times, Answer& last) {
    std::vector<double> found;
    for (int k = 0; k < times; ++k) {
        const auto begin = Clock::now();
        last = stage.ask(command);
        found.push_back(Milliseconds(Clock::now() - begin).count());
        std::this_thread::sleep_for(7ms * (k % 9));
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// On a machine that does other things too, one try may be late: half of them must be in time, and none may
/// have waited for what is held.
bool are_prompt(const char* what, const std::vector<double>& ms) {
    std::fprintf(stderr, "%s: median %.2f ms, slowest of %zu %.2f ms\n", what, ms[ms.size() / 2], ms.size(),
                 ms.back());
    return ms[ms.size() / 2] <= 10. && ms.back() <= 1'000.;
}

/// Records into take.wav of the folder.
LiveConfig recording_in(const TemporaryFolder& folder) {
    LiveConfig config = config_in(folder);
    config.record = folder.file("take.wav");
    return config;
}

SessionMeans watched() {
    return {.open_device = [](const AudioRequest& request) {
        return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{});
    }};
}

}  // namespace

// In children: a session locks the memory of its whole process.

TEST_CASE(
    "panic and a knob are answered while a device opens and starts, the builder builds, the disk hangs") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        LiveConfig config = config_in(folder);
        config.log = folder.file("take.jsonl");
        config.record = folder.file("take.wav");
        BuilderThread* builder = nullptr;
        const SessionMeans means{.open_device =
                                     [](const AudioRequest& request) {
                                         return std::make_unique<SlowDevice>(
                                             request,
                                             SlowDevice::Pauses{.opening = held_for, .starting = held_for});
                                     },
                                 .make_builder =
                                     [&](const Builder::Task& wake) {
                                         auto made = std::make_unique<BuilderThread>(wake);
                                         builder = made.get();
                                         return made;
                                     }};
        const auto begin = Clock::now();
        Stage stage(config, means);

        // The device opens: nothing plays, so a knob is refused; but at once.
        Answer answer;
        bool good =
            are_prompt("panic while the device opens", answered_within_ms(stage, a_panic, 30, answer));
        good = good && answer.done;
        good = are_prompt("knob while the device opens", answered_within_ms(stage, a_knob, 30, answer)) &&
               good && !answer.done && answer.reason == "nothing plays yet";
        good = good && Clock::now() - begin < held_for;

        // The device starts, and calls already; builder and writer are held as long.
        stage.listener().wait_for(Kind::playing);
        const auto playing = Clock::now();
        std::atomic<int> held{2};
        const auto hold = [&] {
            std::this_thread::sleep_for(held_for);
            --held;
        };
        builder->run(hold, [] {});
        stage.writer().run(hold);
        good =
            are_prompt("panic while all are held", applied_within_ms(stage, a_panic, EventKind::panic, 30)) &&
            good;
        good = are_prompt("knob while all are held", applied_within_ms(stage, a_knob, EventKind::knob, 30)) &&
               good;
        good = good && held == 2 && Clock::now() - playing < held_for;
        const SessionEnd how = stage.quit();
        good = good && how.exit_code == 0 && how.error.empty();
        const LiveSummary summary = *stage.listener().all(Kind::summary).at(0).summary;
        std::fprintf(stderr, "longest turn %.2f ms\n", summary.longest_turn_ms);
        if (!good || summary.longest_turn_ms >= 1'000.) _exit(1);
    });
    INFO(end.said);
    WARN(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a port that hangs and then fails ends the start with its reason, and holds up no answer") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        LiveConfig config = config_in(folder);
        config.midi = {"knobs"};
        Stage stage(config,
                    {.open_port = [](const std::string& name, MidiQueue&) -> std::unique_ptr<MidiInput> {
                        std::this_thread::sleep_for(2s);
                        throw DeviceError(name + " does not answer");
                    }});
        Answer answer;
        const bool good =
            are_prompt("panic while a port opens", answered_within_ms(stage, a_panic, 20, answer));
        const SessionEnd how = stage.wait();
        if (!good || !answer.done || how.exit_code != 69 || how.error != "knobs does not answer") _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a quit while the device opens ends the session at once, without a sound") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder), {.open_device = [](const AudioRequest& request) {
                        return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{.opening = 2s});
                    }});
        std::this_thread::sleep_for(200ms);
        const auto begin = Clock::now();
        const Answer answer = stage.ask({.kind = Command::Kind::quit});
        const bool at_once = Clock::now() - begin < 1s;
        const SessionEnd how = stage.wait();
        const bool is_silent = stage.listener().count() == 0;
        if (!answer.done || !at_once || how.exit_code != 0 || !how.leaves_threads || !is_silent) _exit(1);
    });
    CHECK(end.peaceful());
}

TEST_CASE("commands: a knob that is there moves, others are refused by name; a reload is told; quit fades") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        Stage stage(config_in(folder));
        stage.listener().wait_for(Kind::playing);
        const Answer moved = stage.ask(
            {.kind = Command::Kind::set, .address = "trim.gain_db", .value = -6.f, .ms = 5.f, .id = "7"});
        const SessionReport told =
            stage.listener().wait_for([](const SessionReport& r) { return r.kind == Kind::event; });
        const Answer bypassed =
            stage.ask({.kind = Command::Kind::set, .address = "trim.bypass", .value = 1.f});
        const Answer unknown = stage.ask({.kind = Command::Kind::set, .address = "trim.gian_db"});
        const Answer no_number =
            stage.ask({.kind = Command::Kind::set, .address = "trim.gain_db", .value = std::nanf("")});
        const Answer reloaded = stage.ask({.kind = Command::Kind::reload});
        stage.listener().wait_for(Kind::unchanged);
        const SessionEnd how = stage.quit();
        const bool good =
            moved.done && moved.id == "7" && told.node == "trim" && told.parameter == "gain_db" &&
            told.event.value == -6.f && told.event.smooth_ms == 5.f && bypassed.done && !unknown.done &&
            unknown.reason.find("gain_db") != std::string::npos && !no_number.done && reloaded.done &&
            how.exit_code == 0 && stage.listener().all(Kind::silent).size() == 1;
        if (good) return;
        std::fprintf(stderr, "%s\n", unknown.reason.c_str());
        _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("every reading of every node is in the status, and the sinks that fail are left out") {
    const End end = in_child([] {
        class Torn final : public Sink {
        public:
            explicit Torn(int& called) : called_(called) {}
            void take(const SessionReport&) override {
                ++called_;
                throw std::runtime_error("torn");
            }

        private:
            int& called_;
        };
        const TemporaryFolder folder;
        LiveConfig config = config_in(folder);
        config.seconds = 0.5;
        config.status_every = 50ms;  // the first status may come before the first block
        int called = 0;
        const auto listener = std::make_shared<Listener>();
        LiveSession session(config, all_nodes());
        session.add(std::make_shared<Torn>(called));
        session.add(listener);
        const SessionEnd how = session.run();
        std::string seen;
        const SessionReport last = listener->all(Kind::status).back();
        for (const NodeReading& reading : last.status->readings)
            seen += fmt::format("{} {} {}; ", reading.node, reading.name, reading.unit);
        std::fprintf(stderr, "%s\n", seen.c_str());
        if (how.exit_code != 0 || called != 1 ||
            seen != "level peak_dbfs dBFS; level rms_dbfs dBFS; level gain_reduction_db dB; ")
            _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

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
            if (where == "turn while opening") throw_in_turn([] { throw std::logic_error("lost"); });
            return std::make_unique<SlowDevice>(request, SlowDevice::Pauses{}, [&] {
                if (where == "device starts") throw DeviceError("no start");
                if (where == "turn while starting") throw_in_turn([] { throw std::logic_error("lost"); });
            });
        };
        means.open_port = [&](const std::string&, MidiQueue&) -> std::unique_ptr<MidiInput> {
            if (where == "port opens") throw DeviceError("no port");
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

TEST_CASE("a first patch that can't be played is told by reports, like a later one, and ends with its code") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        LiveConfig config = config_in(folder);
        folder.write("song.toml", patch(R"("in -> out")", node("x", "gian")));
        Stage bad(config);
        const int bad_code = bad.wait().exit_code;
        config.patch = folder.file("none.toml");
        Stage missing(config);
        const int missing_code = missing.wait().exit_code;
        const auto problems = bad.listener().all(Kind::problem);
        const bool told = problems.size() == 1 && problems[0].text.find("gian") != std::string::npos &&
                          missing.listener().all(Kind::problem).size() == 1;
        std::fprintf(stderr, "%d %d %zu\n", bad_code, missing_code, problems.size());
        if (bad_code != 65 || missing_code != 66 || !told) _exit(1);
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::live_session_test
