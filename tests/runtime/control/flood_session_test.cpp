/// A whole session in the flood of controller messages that it is made for: nothing of its take is missing.
/// The long run is test_control "[soak]".

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <mutex>
#include <thread>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/engine/offline_stream.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/engine_rig.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/model_files.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/shipped_songs.hpp"

namespace gainstage::test::flood_session_test {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;
using Kind = SessionReport::Kind;
constexpr int rate_hz = 48'000, block_frames = 64;

/// Plays a programme into the stream in time, and keeps what comes out. Where the machine is too slow it
/// falls behind and loses nothing: its clock is the stream's.
class Studio final : public AudioStream {
public:
    explicit Studio(Channel& heard) : heard_(heard), sound_(programme(20 * rate_hz)) {
        format_ = {.api = "null",
                   .name = "a studio",
                   .in_channels = 1,
                   .out_channels = 1,
                   .rate_hz = rate_hz,
                   .block_frames = block_frames};
    }
    ~Studio() override { stop(); }
    void start(AudioCallback callback, void* context) override {
        running_ = true;
        thread_ = std::thread([this, callback, context] { play(callback, context); });
    }
    void stop() noexcept override {
        running_ = false;
        if (thread_.joinable()) thread_.join();
    }
    bool is_running() const noexcept override { return running_; }

    static Channel part(const Channel& sound, std::size_t first, std::size_t count) {
        Channel found(count);
        for (std::size_t k = 0; k < count; ++k) found[k] = sound[(first + k) % sound.size()];
        return found;
    }

private:
    void play(AudioCallback callback, void* context) {
        const auto begin = Clock::now();
        const std::chrono::duration<double> period(static_cast<double>(block_frames) / rate_hz);
        for (int block = 0; running_; ++block) {
            const Channel in = part(sound_, heard_.size(), block_frames);
            Channel out(block_frames);
            const float* from = in.data();
            float* to = out.data();
            callback(context, {.in = &from, .out = &to, .frames = block_frames});
            heard_.insert(heard_.end(), out.begin(), out.end());
            count_callback();
            std::this_thread::sleep_until(begin +
                                          std::chrono::duration_cast<Clock::duration>(period * (block + 1)));
        }
    }

    Channel& heard_;
    const Channel sound_;
    std::atomic<bool> running_{false};
    std::thread thread_;
};

/// A controller that sends 10,000 messages a second, by the clock, into the queue of a port.
class Controller {
public:
    explicit Controller(MidiQueue& queue) : thread_([this, &queue] { send(queue); }) {}
    ~Controller() { stop(); }
    /// Messages that the port has taken.
    std::uint64_t stop() {
        running_ = false;
        if (thread_.joinable()) thread_.join();
        return taken_;
    }
    std::uint64_t refused() const { return refused_; }

private:
    void send(MidiQueue& queue) {
        const auto begin = Clock::now();
        for (std::int64_t sent = 0; running_; std::this_thread::sleep_for(1ms)) {
            const std::int64_t due = (Clock::now() - begin) / 1us * Flood::messages_per_second / 1'000'000;
            for (; sent < due; ++sent) {
                const auto now =
                    std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch());
                const bool fits = queue.push(
                    {.arrival_ns = now.count(),
                     .message = {.size = 3,
                                 .bytes = {0xb0, 21, static_cast<std::uint8_t>(sent * 37 % 128)}}});
                ++(fits ? taken_ : refused_);
            }
        }
    }

    std::atomic<bool> running_{true};
    std::uint64_t taken_ = 0, refused_ = 0;
    std::thread thread_;
};

class Listener final : public Sink {
public:
    void take(const SessionReport& report) override {
        const std::lock_guard lock(mutex_);
        if (report.kind == Kind::event)
            ++events_;
        else
            reports_.push_back({report, Clock::now()});
    }
    std::vector<SessionReport> all(Kind kind) {
        const std::lock_guard lock(mutex_);
        std::vector<SessionReport> found;
        for (const auto& [report, when] : reports_)
            if (report.kind == kind) found.push_back(report);
        return found;
    }
    std::vector<Clock::time_point> times(Kind kind) {
        const std::lock_guard lock(mutex_);
        std::vector<Clock::time_point> found;
        for (const auto& [report, when] : reports_)
            if (report.kind == kind) found.push_back(when);
        return found;
    }
    std::uint64_t events() {
        const std::lock_guard lock(mutex_);
        return events_;
    }
    bool waits_for(Kind kind, std::size_t count) {
        for (const auto end = Clock::now() + 60s; Clock::now() < end; std::this_thread::sleep_for(5ms))
            if (all(kind).size() >= count) return true;
        return false;
    }

private:
    std::mutex mutex_;
    std::vector<std::pair<SessionReport, Clock::time_point>> reports_;
    std::uint64_t events_ = 0;
};

/// A session on a thread of its own, with a studio and a port.
class Show {
public:
    explicit Show(LiveConfig config, std::optional<QueueSizes> queues = {}) {
        config.midi = {"knobs"};
        std::promise<LiveSession*> made;
        thread_ = std::thread([this, config, queues, &made] {
            SessionMeans means{
                .open_device = [this](const AudioRequest&) { return std::make_unique<Studio>(heard); },
                .open_port = [this](const std::string&, MidiQueue& queue) -> std::unique_ptr<MidiPort> {
                    port = &queue;
                    return nullptr;
                }};
            means.queues = queues;
            LiveSession session(config, nodes_for_tests(), means);
            session.add(listener);
            made.set_value(&session);
            end_ = session.run();
        });
        session_ = made.get_future().get();
        playing = listener->waits_for(Kind::playing, 1);
    }
    Inbox& inbox() { return session_->inbox(); }
    SessionEnd end() {
        inbox().post({.kind = Command::Kind::quit});
        thread_.join();
        return end_;
    }

    Channel heard;
    std::atomic<MidiQueue*> port{nullptr};
    const std::shared_ptr<Listener> listener = std::make_shared<Listener>();
    bool playing = false;

private:
    LiveSession* session_ = nullptr;
    SessionEnd end_;
    std::thread thread_;
};

/// What the log makes of the studio's programme.
Channel replayed(const std::string& log, std::size_t frames) {
    const Take take = read_take(log);
    must_be_whole(take, log);
    PatchLoader loader(nodes_for_tests(), rate_hz);
    OfflineStream stream({.sample_rate_hz = rate_hz, .max_frames = 512}, loader);
    if (has_errors(stream.start(take))) return {};
    const Channel sound = programme(20 * rate_hz);
    const Channel in = Studio::part(sound, 0, frames);
    Channel out(frames);
    const float* from = in.data();
    float* to = out.data();
    stream.process(&from, 1, &to, 1, static_cast<int>(frames));
    return stream.problems().empty() ? out : Channel{};
}

void must(bool holds, const std::string& what) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what.c_str());
    _exit(1);
}

/// Every second another of the shipped models, and in between the same one as another file.
void soak(int seconds) {
    const TemporaryFolder folder;
    LiveConfig config;
    config.patch = folder.file("song.toml");
    config.log = folder.file("take.log");
    save_song(folder, 0);
    Show show(config);
    must(show.playing, "it plays");
    Controller controller(*show.port);
    for (int k = 1; k <= seconds; ++k) {
        std::this_thread::sleep_for(1s);
        save_song(folder, k);
        show.inbox().post({.kind = Command::Kind::reload});
    }
    // The last one plays, so that all newcomers were heard.
    for (const auto end = Clock::now() + 60s; Clock::now() < end; std::this_thread::sleep_for(20ms)) {
        const auto fades = show.listener->all(Kind::fade);
        const auto playing = show.listener->all(Kind::playing);
        if (fades.size() == playing.size() && fades.back().patch->text == folder.read("song.toml")) break;
    }
    const std::uint64_t sent = controller.stop();
    std::this_thread::sleep_for(100ms);
    const SessionEnd how = show.end();
    const LiveSummary summary = *show.listener->all(Kind::summary).at(0).summary;
    std::size_t warm = 0;
    const auto fades = show.listener->all(Kind::fade);
    for (const SessionReport& fade : fades) warm += fade.warmed;
    std::fprintf(stderr,
                 "%d s: %llu messages sent, %llu told; %zu fades, %zu of them warmed; %zu notes; swaps %llu; "
                 "longest turn "
                 "%.1f ms, control load %.3f, worst block %.2f, %llu late; queues %.2f MB\n",
                 seconds, static_cast<unsigned long long>(sent),
                 static_cast<unsigned long long>(show.listener->events()), fades.size(), warm,
                 show.listener->all(Kind::note).size(), static_cast<unsigned long long>(summary.swaps),
                 summary.longest_turn_ms, summary.control_load, static_cast<double>(summary.worst_load),
                 static_cast<unsigned long long>(summary.late_blocks),
                 static_cast<double>(summary.queue_bytes) * 1e-6);
    for (const SessionReport& note : show.listener->all(Kind::note))
        std::fprintf(stderr, "note: %s\n", note.text.c_str());
    must(how.exit_code == 0, fmt::format("it ends with 0: {} {}", how.exit_code, how.error));
    must(controller.refused() == 0, "the port takes every message");
    must(sent >= static_cast<std::uint64_t>(seconds) * 9'000, "the flood is one");
    must(show.listener->events() == sent + 1, "every message is told, and the fade-out");
    must(summary.reports_lost + summary.events_lost + summary.moves_lost + summary.log_lost == 0,
         "nothing is lost");
    must(show.listener->all(Kind::lost).empty() && !summary.is_incomplete, "the take is whole");
    must(summary.failures == 0 && summary.trips == 0, "no model is refused, none trips");
    must(fades.size() > 2 && warm == fades.size() - 1, "every newcomer but the first is warm");
    for (const SessionReport& note : show.listener->all(Kind::note))
        must(note.text.find("the latency of the whole patch changes") != std::string::npos,
             "all are warmed on all that they want of the past");
    const Take take = read_take(config.log);
    must(take.events.size() == sent + 1, "the log has them all");
    const Channel again = replayed(config.log, show.heard.size());
    must(rms(show.heard) > 0.001, "it sounds");
    const std::string difference = bit_difference(mono(show.heard), mono(again));
    must(difference.empty(), "the take is repeated bit for bit: " + difference);
}

}  // namespace

TEST_CASE("ten thousand messages a second and a reload every second: the take is whole, and all are warm") {
    const End end = in_child([] { soak(5); });
    INFO(end.said);
    WARN(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("the same for a minute", "[.][soak]") {
    const End end = in_child([] { soak(60); });
    INFO(end.said);
    WARN(end.said);
    CHECK(end.peaceful());
}

TEST_CASE("a quarantine after a long rest is noticed within 20 ms, counted, and over when it may be") {
    const End end = in_child([] {
        const TemporaryFolder folder;
        LiveConfig config;
        config.patch = folder.write(
            "song.toml",
            patch("\"in -> one -> other -> out\"", node("one", "bomb", "at = 125000\nevery = 250000") +
                                                       node("other", "bomb", "at = 250000\nevery = 250000")));
        config.status_every = 50ms;
        Show show(config);
        must(show.playing, "it plays");
        const auto playing = show.listener->times(Kind::playing).at(0);
        const double began = show.listener->all(Kind::playing).at(0).seconds;
        must(show.listener->waits_for(Kind::returned, 3), "a node trips every 2.6 s, and comes back");
        std::this_thread::sleep_for(100ms);
        const SessionEnd how = show.end();
        must(how.exit_code == 0, "it ends with 0");
        const auto trips = show.listener->all(Kind::quarantine), returns = show.listener->all(Kind::returned);
        const auto when = show.listener->times(Kind::quarantine);
        std::vector<double> late_ms;
        for (std::size_t k = 0; k < trips.size(); ++k) {
            const std::chrono::duration<double, std::milli> after = when[k] - playing;
            late_ms.push_back(after.count() - (trips[k].seconds - began) * 1e3);
            const double rest_s = returns[k].seconds - trips[k].seconds;
            std::fprintf(stderr, "noticed after %.1f ms, back after %.3f s\n", late_ms.back(), rest_s);
            must(rest_s >= 0.1 && rest_s <= 1., "it is back soon");
        }
        std::sort(late_ms.begin(), late_ms.end());
        must(late_ms[late_ms.size() / 2] <= 20., "noticed within 20 ms");
        const auto statuses = show.listener->all(Kind::status);
        must(statuses.back().status->quarantines == trips.size() && statuses.back().status->resting.empty(),
             "the last status counts them");
        must(std::any_of(statuses.begin(), statuses.end(),
                         [](const SessionReport& r) {
                             return r.status->resting == std::vector<std::string>{"other"};
                         }),
             "a status names the node that rests");
        must(show.listener->all(Kind::summary).at(0).summary->trips == trips.size(), "so does the summary");
    });
    INFO(end.said);
    WARN(end.said);
    CHECK(end.peaceful());
}

TEST_CASE(
    "what full queues drop is told by kind, stands in the log, and ends with 73 where a take was kept") {
    const bool logs = GENERATE(true, false);
    INFO("logs " << logs);
    const End end = in_child([logs] {
        const TemporaryFolder folder;
        LiveConfig config;
        config.patch =
            folder.write("song.toml", song(families[5], source_dir() + "/models/opto-grey-box.safetensors"));
        if (logs) config.log = folder.file("take.log");
        QueueSizes small = QueueSizes::for_stage(logs);
        small.log = 3;
        Show show(config, small);
        must(show.playing, "it plays");
        const auto cc = [](int value) {
            return StampedMidi{.message = {.size = 3, .bytes = {0xb0, 21, static_cast<std::uint8_t>(value)}}};
        };
        for (int k = 0; k < 500; ++k) show.port.load()->push(cc(k % 128));  // in one block
        std::this_thread::sleep_for(200ms);
        const SessionEnd how = show.end();
        const auto lost = show.listener->all(Kind::lost);
        const LiveSummary summary = *show.listener->all(Kind::summary).at(0).summary;
        std::fprintf(stderr, "exit %d, %zu lost, log_lost %llu, reports_lost %llu\n", how.exit_code,
                     lost.size(), static_cast<unsigned long long>(summary.log_lost),
                     static_cast<unsigned long long>(summary.reports_lost));
        must(how.exit_code == (logs ? 73 : 0), "exit code");
        must(summary.is_incomplete == logs, "incomplete");
        must((logs ? summary.log_lost : summary.reports_lost) > 300, "counted");
        must((logs ? summary.reports_lost : summary.log_lost) == 0, "and by kind");
        must(lost.empty() != logs, "told");
        if (!logs) return;
        const Take take = read_take(config.log);
        std::uint64_t missing = 0;
        for (const Loss& loss : take.losses) missing += loss.count;
        must(missing == summary.log_lost, "the log says how many");
        must(take.events.size() + missing == 501, "no more and no less");
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::flood_session_test
