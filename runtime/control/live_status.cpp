/// What a session tells, in words and numbers.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

using namespace std::chrono_literals;

namespace {

/// A number whatever a device delivers: what is infinite or no number counts as the loudest that there is.
float to_db(float amplitude) {
    constexpr float loudest = std::numeric_limits<float>::max();
    return 20.f * std::log10(std::max(amplitude <= loudest ? amplitude : loudest, 6.3e-8f));
}

std::string midi_text(const MidiMessage& m) {
    if (m.size == 0) return {};
    const int channel = (m.bytes[0] & 0x0f) + 1;
    switch (m.bytes[0] & 0xf0) {
        case 0x80:
            return fmt::format("ch {} note {} off", channel, m.bytes[1]);
        case 0x90:
            return fmt::format("ch {} note {} {}", channel, m.bytes[1], m.bytes[2] ? "on" : "off");
        case 0xb0:
            return fmt::format("ch {} cc {} = {}", channel, m.bytes[1], m.bytes[2]);
        case 0xe0:
            return fmt::format("ch {} bend = {}", channel, (m.bytes[2] << 7 | m.bytes[1]) - 8192);
        default:
            return fmt::format("ch {} {:02x} {} {}", channel, m.bytes[0], m.bytes[1], m.bytes[2]);
    }
}

std::vector<NodeReading> readings(const Arrangement* playing) {
    std::vector<NodeReading> all;
    if (!playing) return all;
    for (const auto& slot : playing->slots)
        for (std::size_t r = 0; r < slot->readings.size(); ++r) {
            const ReadingSpec& reading = slot->description.type->readings[r];
            const float value = slot->readings[r].load(std::memory_order_relaxed);
            if (std::isnan(value)) continue;  // not played yet
            all.push_back(
                {.node = slot->description.id, .name = reading.name, .unit = reading.unit, .value = value});
        }
    return all;
}

}  // namespace

// ------------------------ reports

void LiveSession::hear(const EngineNews& news) {
    stir();
    if (news.kind == EngineNews::Kind::event && news.event.kind == EventKind::midi)
        last_midi_ = news.event.midi;
    if (news.kind == EngineNews::Kind::lost) {
        if (news.loss.kind == Loss::Kind::lines && config_.log.empty()) return;  // there are none
        is_incomplete_ = is_incomplete_ || writer_;
    }
    tell(report_of(news, rate()));
}

void LiveSession::say(Kind kind, std::string text) {
    SessionReport report{.kind = kind};
    report.text = std::move(text);
    if (engine_) {
        report.at = engine_->room().now();
        report.seconds = static_cast<double>(report.at) / rate();
    }
    tell(report);
}

void LiveSession::say(const Problems& problems) {
    Problems told = problems;
    shorten_for_people(told, "gainstage check --json lists them");
    for (const Problem& problem : told) say(problem.is_note ? Kind::note : Kind::problem, problem.text());
}

/// The log first. A sink that fails is left out from then on; nothing else changes.
void LiveSession::tell(const SessionReport& report) {
    try {
        if (writer_) writer_->take(report);
    } catch (...) {  // no memory for a line of the log
        is_incomplete_ = true;
    }
    std::erase_if(sinks_, [&](const std::shared_ptr<Sink>& sink) {
        try {
            sink->take(report);
            return false;
        } catch (...) {
            return true;
        }
    });
}

/// At most one line a second, however bad it is.
void LiveSession::report_xruns() {
    const std::uint64_t total = callback_->xruns();
    if (total == xruns_said_ || Clock::now() - xruns_said_at_ < 1s) return;
    say(Kind::xrun, fmt::format("{} xrun(s) at {:.2f} s; the worst block so far took {:.0f} % of its time",
                                total - xruns_said_, static_cast<double>(engine_->room().now()) / rate(),
                                static_cast<double>(engine_->room().stats().worst_load.load()) * 100.));
    xruns_said_ = total;
    xruns_said_at_ = Clock::now();
}

void LiveSession::tell_losses(bool last) {
    if (!losses_) return;
    for (const Loss& loss : losses_->look(Clock::now(), last)) {
        is_incomplete_ = is_incomplete_ || writer_;
        tell(report_of(loss, engine_->room().now(), rate()));
    }
}

// ------------------------ numbers

/// Of the calling thread.
double LiveSession::cpu_seconds() {
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
}

LiveStatus LiveSession::status() {
    RoomStats& stats = engine_->room().stats();
    const AudioFormat& format = keeper_.format();
    LiveStatus status{.in_peak_db = {},
                      .out_peak_db = {},
                      .load = stats.load.load(),
                      .worst_load = stats.worst_load.load(),
                      .xruns = callback_->xruns(),
                      .quarantines = engine_->counts().trips,
                      .resting = {},
                      .memory_bytes = engine_->playing() ? engine_->playing()->memory.total() : 0,
                      .readings = readings(engine_->playing()),
                      .last_midi = midi_text(last_midi_)};
    for (const auto& [key, patient] : engine_->ward().patients())
        status.resting.push_back(engine_->node_id(key));
    for (int c = 0; c < std::min(format.in_channels, RoomStats::metered_channels); ++c)
        status.in_peak_db.push_back(to_db(stats.in_peak[c].exchange(0.f)));
    for (int c = 0; c < std::min(format.out_channels, RoomStats::metered_channels); ++c)
        status.out_peak_db.push_back(to_db(stats.out_peak[c].exchange(0.f)));
    return status;
}

LiveSummary LiveSession::summary() {
    const RoomStats& stats = engine_->room().stats();
    const EngineCounts& counts = engine_->counts();
    LiveSummary summary;
    summary.seconds = static_cast<double>(engine_->room().now()) / rate();
    summary.blocks = stats.blocks.load();
    summary.xruns = callback_->xruns();
    summary.late_blocks = stats.late_blocks.load();
    summary.swaps = counts.swaps;
    summary.edits = counts.edits;
    summary.trips = counts.trips;
    summary.failures = counts.failures;
    for (const auto& port : ports_) {
        summary.midi_messages += port->received();
        summary.midi_dropped += port->dropped();
    }
    const Outbox& outbox = engine_->room().outbox();
    summary.reports_lost = outbox.reports_lost() + (config_.log.empty() ? outbox.entries_lost() : 0);
    summary.log_lost = config_.log.empty() ? 0 : outbox.entries_lost();
    summary.moves_lost = counts.moves_lost;
    summary.queue_bytes = engine_->room().queue_bytes().all();
    summary.events_lost = stats.events_lost.load();
    summary.swaps_postponed = stats.swaps_postponed.load();
    summary.commands_refused = inbox_.counts().busy;
    summary.worst_load = stats.worst_load.load();
    summary.worst_at_s = static_cast<double>(stats.worst_at.load()) / rate();
    find_slowest_node(summary);
    if (writer_) {
        summary.recorded_s = static_cast<double>(writer_->recorded()) / rate();
        summary.log_lost += writer_->lost();
    }
    if (tap_) summary.record_lost_s = static_cast<double>(tap_->lost()) / rate();
    count_crew(summary);
    summary.longest_turn_ms = std::chrono::duration<double, std::milli>(longest_turn_).count();
    const std::chrono::duration<double> played = Clock::now() - announced_at_;
    if (announced_) summary.control_load = (cpu_seconds() - cpu_at_announcement_s_) / played.count();
    summary.device_lost = device_lost_;
    summary.is_incomplete = is_incomplete_;
    return summary;
}

void LiveSession::find_slowest_node(LiveSummary& summary) {
    const Arrangement* playing = engine_->playing();
    if (!playing) return;
    for (const auto& slot : playing->slots) {
        const auto frames = static_cast<double>(slot->timed_frames.load());
        const double share =
            frames > 0. ? static_cast<double>(slot->timed_ticks.load()) / frames * rate() / ticks_per_second()
                        : 0.;
        if (share <= summary.slowest_node_load) continue;
        summary.slowest_node_load = share;
        summary.slowest_node = slot->description.id;
    }
}

void LiveSession::count_crew(LiveSummary& summary) {
    if (!engine_->room().crew()) return;
    const CrewStats& stats = engine_->room().crew()->stats();
    summary.shared_pieces = stats.shared.load();
    summary.unshared_pieces = stats.alone.load();
    summary.stalls = stats.stalls.load();
    summary.longest_wait_us = static_cast<double>(stats.longest_wait_ticks.load()) / ticks_per_second() * 1e6;
}

}  // namespace gainstage
