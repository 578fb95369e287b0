#include "runtime/control/live_session.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "runtime/io/audio_doors.hpp"
#include "runtime/io/null_device.hpp"

namespace gainstage {

using namespace std::chrono_literals;

namespace {

/// How long the loop may sleep. The audio thread wakes nobody, so the loop looks for its reports: at once
/// while somebody waits for an answer, less often the longer nothing happens. A node in quarantine is found
/// within 20 ms.
constexpr auto brisk = 2ms, steady = 5ms, idle = 18ms, without_reports = 50ms;
constexpr auto brisk_for = 30ms, steady_for = 200ms;

constexpr auto drain_every = 100ms;

/// Of a turn. Commands are taken in small lots, so that it is kept.
constexpr auto longest_for_commands = 2ms;
constexpr std::size_t most_at_once = 16;

/// A fault that comes back in so many turns in a row does not go away.
constexpr int hopeless = 100;

DeviceKeeper::Open opening(const LiveConfig& config, const SessionMeans& means) {
    if (means.open_device) return means.open_device;
    if (config.null_device)
        return [](const AudioRequest& request) { return std::make_unique<NullDevice>(request); };
    return open_audio;
}

}  // namespace

LiveSession::LiveSession(LiveConfig config, NodeTypes types, SessionMeans means)
    : config_(std::move(config)),
      types_(types),
      means_(std::move(means)),
      keeper_(opening(config_, means_), inbox_) {
    const auto wake = [this] { inbox_.wake(); };
    builder_ = means_.make_builder ? means_.make_builder(wake) : std::make_unique<BuilderThread>(wake);
    // The patch is read once without a rate, to know its channels before anything is opened.
    loader_ = std::make_unique<PatchLoader>(types_, 0.);
    load([this](Resolved resolved) {
        if (stage_ != Stage::reading) return;  // asked to end meanwhile
        if (!resolved.graph) {
            say(resolved.problems);
            return fail(resolved.problems);
        }
        open_device(*resolved.graph);
    });
}

LiveSession::~LiveSession() {
    if (engine_) engine_->leave_unfinished();
    builder_->give_up();  // its jobs read what goes next
    const auto reply = [](const Command& command, bool done, const char* reason) {
        try {
            command.answer(done, reason);
        } catch (...) {  // no memory, not even for an answer
        }
    };
    for (const Command& command : inbox_.take().commands) reply(command, false, "the session is over");
    if (owed_panic_) reply(*owed_panic_, true, "");
    if (owed_mute_) reply(*owed_mute_, false, "the session is over");
    for (const Command& command : owed_scenes_) reply(command, false, "the session is over");
    for (const AskedSave& one : saves_) reply(one.command, false, "the session is over");
}

SessionEnd LiveSession::run() {
    while (turn()) {
    }
    return end_;
}

// ------------------------ one turn

bool LiveSession::turn() {
    const Due due = wait();
    const Clock::time_point begin = Clock::now();
    turn_failed_ = false;
    work(due);
    failed_turns_ = turn_failed_ ? failed_turns_ + 1 : 0;
    if (failed_turns_ >= hopeless && stage_ != Stage::over) abandon();
    if (announced_) longest_turn_ = std::max(longest_turn_, Clock::now() - begin);
    return stage_ != Stage::over;
}

/// Does one step of a turn. What it throws ends this step alone.
template <class Step>
void LiveSession::guard(Step step) noexcept {
    try {
        step();
    } catch (const std::exception& fault) {
        on_fault(fault);
    } catch (...) {
        on_fault(std::logic_error("something was thrown that is no exception"));
    }
}

LiveSession::Due LiveSession::wait() {
    const bool heeds_signals = means_.end_signals && !end_asked_;
    const bool heeds_files = watcher_ && stage_ == Stage::playing;
    pollfd waited[] = {{.fd = inbox_.fd(), .events = POLLIN, .revents = 0},
                       {.fd = heeds_signals ? means_.end_signals->fd() : -1, .events = POLLIN, .revents = 0},
                       {.fd = heeds_files ? watcher_->fd() : -1, .events = POLLIN, .revents = 0}};
    auto until = Clock::now() + pace();
    std::optional<Clock::time_point> look;
    if (heeds_files) look = watcher_->next_look();
    if (stage_ == Stage::playing) until = std::min(until, next_status_);
    if (look) until = std::min(until, *look);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const int count =
        ::poll(waited, std::size(waited), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (count < 0 && errno != EINTR) tell_of_wait(errno);
    // A turn that nobody asked for looks as well: the call may have been lost.
    return {.mail = waited[0].revents != 0 || count <= 0,
            .files = waited[2].revents != 0 || (look && *look <= Clock::now())};
}

/// Nothing is lost by it: every turn looks at everything. Once.
void LiveSession::tell_of_wait(int error) {
    if (std::exchange(wait_failed_, true)) return;
    say(Kind::note, fmt::format("the system can't wait for events ({}); they are looked for instead",
                                std::strerror(error)));
}

/// Something happened: more may follow, and somebody may wait for it.
void LiveSession::stir() {
    stirred_ = Clock::now();
}

std::chrono::milliseconds LiveSession::pace() {
    if (stage_ == Stage::starting || stage_ == Stage::fading || stage_ == Stage::ringing || is_hurried_)
        return brisk;
    if (stage_ != Stage::playing) return without_reports;
    const auto quiet_for = Clock::now() - stirred_;
    if (quiet_for < brisk_for) return brisk;
    return quiet_for < steady_for || engine_->changing() ? steady : idle;
}

void LiveSession::work(Due due) {
    heed_signals();
    if (due.mail) take_mail();
    guard([&] {
        pay_owed();
        if (due.files) look_at_files();
        if (stage_ == Stage::starting && !announced_ && engine_->room().now() > 0) announce();
    });
    guard([&] {
        if (engine_ && stage_ != Stage::over) engine_->tick();
    });
    guard([&] { go_on(); });
    guard([&] { tell_of_memory(); });
}

void LiveSession::heed_signals() {
    if (!means_.end_signals) return;
    const int come = means_.end_signals->count();
    if (come > 0 && !end_asked_) guard([this] { tell_of_signal(); });
    if (come > 0) guard([this] { end_soon(); });
    if (come > 1) guard([this] { hurry(); });
}

/// Results first, then the builder's, then what is asked for. A letter that throws takes no other with it.
void LiveSession::take_mail() {
    Inbox::Mail mail = inbox_.take(most_at_once);
    if (!mail.results.empty() || !mail.commands.empty()) stir();
    for (const auto& result : mail.results) guard([&] { result(); });
    guard([&] { builder_->take_up(); });
    obey_all(std::move(mail.commands));
    guard([&] { reload_on(); });
}

/// As many as fit into the time of a turn; the others wait in the inbox for the next one.
void LiveSession::obey_all(std::vector<Command> commands) {
    const auto end = Clock::now() + longest_for_commands;
    while (!commands.empty()) {
        for (Command& command : commands) guard([&] { obey_or_answer(command); });
        if (Clock::now() >= end) return inbox_.wake();
        commands = inbox_.take_commands(most_at_once);
    }
}

/// What the stage has come to by itself.
void LiveSession::go_on() {
    if (is_hurried_) return hurry_on();
    if (stage_ == Stage::building && !engine_->preparing()) return lock();
    if (is_leaving_ && Clock::now() >= patience_) {
        end_.leaves_threads = true;
        stage_ = Stage::over;
    }
    if (stage_ == Stage::fading) fade_on();
    if (stage_ == Stage::ringing) ring_on();
    if (!announced_ || stage_ == Stage::over) return;
    report_xruns();
    tell_losses();
    callback_->hold(writer_ && writer_->is_behind());
    if (writer_ && Clock::now() >= next_drain_) {
        next_drain_ = Clock::now() + drain_every;
        writer_->drain();
    }
    if (stage_ != Stage::playing) return;
    if (is_device_lost()) return close();
    tell_block_size();
    declare_latency();
    if (end_asked_ || is_time_up()) return fade();
    tell_status();
}

bool LiveSession::is_time_up() const {
    return config_.seconds > 0. && static_cast<double>(engine_->room().now()) >= config_.seconds * rate();
}

void LiveSession::look_at_files() {
    const std::vector<std::string> changed = watcher_->look();
    if (!changed.empty()) reload(changed);
}

void LiveSession::tell_status() {
    if (Clock::now() < next_status_) return;
    next_status_ = Clock::now() + config_.status_every;
    SessionReport report{.kind = Kind::status};
    report.at = engine_->room().now();
    report.seconds = static_cast<double>(report.at) / rate();
    report.status = std::make_shared<const LiveStatus>(status(Peaks::begin_anew));
    tell(report);
}

}  // namespace gainstage
