/// A session's way from the last sample to the end.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/control/live_session.hpp"

namespace gainstage {

using namespace std::chrono_literals;

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

// ------------------------------------------------------------------------------------------------ to silence

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

/// Says so, once.
bool LiveSession::is_device_lost() {
    if (device_lost_) return true;
    AudioStream& stream = *keeper_.stream();
    if (!stream.is_running())
        lose_device("the audio device is gone; start again when it is back");
    else if (stream.has_stalled())
        lose_device(
            keeper_.format().api == "jack"
                ? "JACK has stopped calling: its server hangs, or its block size was changed; start again"
                : "the audio device has stopped calling; start again when it is back");
    return device_lost_;
}

void LiveSession::lose_device(const std::string& cause) {
    device_lost_ = true;
    say(Kind::device_lost, fmt::format("{}: {}", keeper_.format().name, cause));
}

// ------------------------------------------------------------------------------------------------ to the end

void LiveSession::close() {
    stage_ = Stage::closing;
    keeper_.close([this](bool was_given_up) {
        if (was_given_up) lose_device("the audio server does not answer and is left as it is; restart it");
        end_.leaves_threads = was_given_up;
        engine_->tick();  // what the last blocks had to tell
        stage_ = Stage::writing;
        if (!writer_) return finish();
        writer_->finish([this] { finish(); });
    });
}

void LiveSession::finish() {
    SessionReport report{.kind = Kind::summary};
    report.summary = std::make_shared<const LiveSummary>(summary());
    report.at = engine_->room().now();
    report.seconds = report.summary->seconds;
    tell(report);
    if (device_lost_)
        end_.exit_code = 69;
    else if (is_incomplete_)
        end_.exit_code = 73;
    stage_ = Stage::over;
}

}  // namespace gainstage
