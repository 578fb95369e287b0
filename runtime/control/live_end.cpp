/// A session's way from the last sample to the end.

#include <fmt/format.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/io/audio_doors.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/plain_text.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

using namespace std::chrono_literals;

namespace {

/// Waits until it is so; not longer than `limit`.
template <class IsSo>
bool becomes_so(std::chrono::milliseconds limit, IsSo is_so) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!is_so()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

/// RtAudio's JACK stops at another block size; our own goes on.
const char* why_silent(const std::string& api) {
    if (api == "jack" && own_door(api)) return "JACK has stopped calling: its server hangs; restart it";
    if (api.ends_with("jack"))
        return "JACK has stopped calling: its server hangs, or its block size was changed; start again";
    return "the audio device has stopped calling; start again when it is back";
}

}  // namespace

/// Why a signal ends it that nobody sent by hand.
void LiveSession::tell_of_signal() {
    const int number = means_.end_signals->number();
    if (number == SIGXCPU)
        say(Kind::problem,
            "the limit of processor time is reached, so the session ends; allow more: ulimit -t unlimited");
#if defined(SIGPWR)
    if (number == SIGPWR) say(Kind::note, "the power fails (SIGPWR), so the session ends");
#endif
}

/// Somebody wants it to end. What plays is faded out; before that there is nothing to wait for.
void LiveSession::end_soon() {
    end_asked_ = true;
    if (stage_ >= Stage::starting) return;  // go_on() does it
    end_.leaves_threads = true;
    leave();
}

void LiveSession::fail(int exit_code, const std::string& error) {
    end_.exit_code = exit_code;
    end_.error = error;
    leave();
}

/// Nothing was played. The files that were made for it go again, unless the disk hangs.
void LiveSession::leave() {
    stage_ = Stage::over;
    if (!writer_) return;
    stage_ = Stage::writing;
    is_leaving_ = true;
    patience_ = Clock::now() + 1s;
    writer_->discard([this] { stage_ = Stage::over; });
}

/// The patch can't be played; its problems have been told.
void LiveSession::fail(const Problems& problems) {
    for (const Problem& problem : problems)
        if (!problem.is_note) end_.exit_code = std::max(end_.exit_code, problem.exit_code);
    leave();
}

// ------------------------ to silence

void LiveSession::fade() {
    stage_ = Stage::fading;
    patience_ = Clock::now() + 2s;
}

void LiveSession::fade_on() {
    if (is_device_lost()) return close();
    fade_asked_ = fade_asked_ || engine_->fade_out(50.f);
    if (!engine_->silent() && Clock::now() < patience_) return;
    // The fade has been played, not heard: its last blocks are on their way through the driver's buffers.
    const AudioFormat& format = keeper_.format();
    const int blocks_on_their_way = 4 + format.latency_frames / std::max(format.block_frames, 1);
    heard_at_ = keeper_.stream()->callbacks() + static_cast<std::uint64_t>(blocks_on_their_way);
    stage_ = Stage::ringing;
    patience_ = Clock::now() + 2s;
}

void LiveSession::ring_on() {
    if (is_device_lost() || keeper_.stream()->callbacks() >= heard_at_ || Clock::now() >= patience_) close();
}

/// Says so, once. Who wants to end has less patience than who plays.
bool LiveSession::is_device_lost() {
    if (device_lost_) return true;
    AudioStream& stream = *keeper_.stream();
    if (!stream.is_running()) {
        const std::string cause = stream.end_cause();
        lose_device(cause.empty() ? "the audio device is gone; start again when it is back" : cause);
    } else if (stage_ == Stage::playing ? stream.has_stalled() : stream.has_paused(1s))
        lose_device(why_silent(keeper_.format().api));
    return device_lost_;
}

void LiveSession::lose_device(const std::string& cause) {
    device_lost_ = true;
    say(Kind::device_lost, fmt::format("{}: {}", keeper_.format().name, cause));
}

// ------------------------ to the end

void LiveSession::close() {
    stage_ = Stage::closing;
    keeper_.close([this](bool was_given_up) {
        if (stage_ != Stage::closing) return;
        if (was_given_up) lose_device("the audio server does not answer and is left as it is; restart it");
        end_.leaves_threads = end_.leaves_threads || was_given_up;
        // A library that was left as it is may still play: then only what is told by itself is heard.
        was_given_up ? engine_->tick() : engine_->conclude();
        tell_losses(true);
        stage_ = Stage::writing;
        if (!writer_) return finish();
        writer_->finish([this] { finish(); });
    });
}

void LiveSession::finish() {
    if (stage_ != Stage::writing) return;
    stage_ = Stage::over;
    settle_exit_code();
    set_sudden_end(end_.exit_code);  // the files are whole, or their trouble has been told
    if (is_hurried_) return;
    SessionReport report{.kind = Kind::summary};
    report.summary = std::make_shared<const LiveSummary>(summary());
    report.at = engine_->room().now();
    report.seconds = report.summary->seconds;
    tell(report);
}

/// A code that a fault has set stays where nothing else is amiss.
void LiveSession::settle_exit_code() noexcept {
    if (device_lost_)
        end_.exit_code = sysexits::no_device;
    else if (is_incomplete_)
        end_.exit_code = sysexits::cannot_write;
    else if (means_.end_signals && means_.end_signals->number() == SIGXCPU)
        end_.exit_code = sysexits::environment;
}

// ------------------------ in a hurry

/// Asked to end for the second time: nobody wants to wait for a fade, a driver or a disk. Log and recording
/// are brought into order, for half a second at most.
void LiveSession::hurry() {
    if (stage_ == Stage::over || std::exchange(is_hurried_, true)) return;
    end_.leaves_threads = true;
    patience_ = Clock::now() + 500ms;
    if (!writer_) {
        stage_ = Stage::over;
        return;
    }
    if (stage_ < Stage::closing) close();
}

void LiveSession::hurry_on() {
    if (stage_ == Stage::over || Clock::now() < patience_) return;
    stage_ = Stage::over;
    if (!announced_) return;  // nothing was played
    end_.exit_code = sysexits::cannot_write;
    end_.error =
        fmt::format("log and recording could not be finished in half a second; {}", where_the_take_lies());
}

std::string LiveSession::where_the_take_lies() const {
    const std::vector<std::string> names = writer_->growing();
    return names.empty() ? "nothing of them is kept"
                         : fmt::format("what is written of them is kept as {}", fmt::join(names, " and "));
}

/// Of an end that nobody can wait for.
void LiveSession::set_sudden_end(int exit_code) {
    if (!means_.end_signals) return;
    const bool is_lost = exit_code == sysexits::cannot_write && writer_ && !writer_->growing().empty();
    means_.end_signals->set_sudden_end(
        exit_code, is_lost ? plain_text(fmt::format("\ngainstage: log and recording were not finished; {}\n",
                                                    where_the_take_lies()))
                           : std::string());
}

// ------------------------ faults of our own

/// Before the stream is started there is nothing to save. While it plays, the audio thread needs nobody here:
/// what plays plays on. On the way to the end nothing repeats a step that failed.
void LiveSession::on_fault(const std::exception& fault) noexcept {
    if (is_out_of_memory(fault)) return on_no_memory();
    turn_failed_ = true;
    // No thread, no descriptor, no watch: the machine's, not ours.
    const bool is_ours = dynamic_cast<const std::runtime_error*>(&fault) == nullptr;
    end_.exit_code = is_ours ? sysexits::internal : sysexits::environment;
    try {
        const std::string cause =
            is_ours ? fmt::format("a fault of Gainstage itself: {}; please report it", fault.what())
                    : std::string(fault.what());
        if (stage_ < Stage::starting) {
            end_.leaves_threads = true;  // a library may be at work
            return fail(end_.exit_code, cause);
        }
        const bool plays_on = stage_ <= Stage::playing;
        if (failed_turns_ == 0) say(Kind::problem, cause + (plays_on ? "; what plays plays on" : ""));
    } catch (...) {  // no memory: it can't be told
    }
    if (stage_ < Stage::starting)
        stage_ = Stage::over;
    else if (stage_ > Stage::playing)
        abandon();
}

/// While it plays a step that lacked memory is left out, however often: it is told once a second, and what
/// plays plays on. A line of the log may have been one of those steps.
void LiveSession::on_no_memory() noexcept {
    const bool plays = stage_ >= Stage::starting && stage_ <= Stage::playing;
    if (plays && !config_.log.empty()) is_incomplete_ = true;
    if (!plays) end_.exit_code = sysexits::environment;
    try {
        if (stage_ < Stage::starting) {
            end_.leaves_threads = true;  // a library may be at work
            return fail(sysexits::environment, out_of_memory);
        }
    } catch (...) {  // it can't be told
    }
    owes_memory_news_ = true;
    if (stage_ < Stage::starting) stage_ = Stage::over;
    if (stage_ > Stage::playing) abandon();
}

/// As soon as there is memory for it, and once a second at most.
void LiveSession::tell_of_memory() {
    if (!owes_memory_news_ || Clock::now() - no_memory_said_at_ < 1s) return;
    say(Kind::problem,
        fmt::format("{}{}", out_of_memory, stage_ <= Stage::playing ? "; what plays plays on" : ""));
    owes_memory_news_ = false;
    no_memory_said_at_ = Clock::now();
}

/// Stops the stream, then brings the files to their end, without the loop.
void LiveSession::abandon() noexcept {
    if (std::exchange(stage_, Stage::over) == Stage::over) return;
    try {
        keeper_.close([](bool) {});
        end_.leaves_threads = !becomes_so(10s, [this] { return !keeper_.is_busy(); });
        try {
            if (!end_.leaves_threads) engine_->conclude();
            tell_losses(true);
        } catch (...) {  // the log ends a little earlier
            is_incomplete_ = true;
        }
        if (writer_) {
            writer_->finish([] {});
            if (!becomes_so(5s, [this] { return !writer_->worker().is_busy(); })) end_.leaves_threads = true;
        }
    } catch (...) {  // no memory: what is in the files is kept
        end_.leaves_threads = true;
    }
    settle_exit_code();
}

}  // namespace gainstage
