/// What a session tells, in words and numbers.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <limits>
#include <new>
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
    if (news.kind == EngineNews::Kind::lost) {
        if (news.loss.kind == Loss::Kind::lines && config_.log.empty()) return;  // there are none
        is_incomplete_ = is_incomplete_ || writer_;
    }
    SessionReport report = report_of(news, rate());
    if (news.kind == EngineNews::Kind::event && news.event.kind == EventKind::midi) {
        report.midi = words_for(news.event);
    }
    tell(report);
}

/// None where there is no memory for them: the event is told all the same.
HeardMidi LiveSession::words_for(const Event& event) {
    try {
        midi_.hear(event.midi, event.port);
        const Arrangement* playing = engine_->playing();
        // Not where the knob stands: it may not have moved yet, and a flood may not cost a look at its moves.
        return midi_.latest(playing ? &playing->graph : nullptr,
                            [](const GraphTarget&) -> std::optional<float> { return std::nullopt; });
    } catch (const std::bad_alloc&) {
        return {};
    }
}

HeardMidi LiveSession::heard_midi() const {
    const Arrangement* playing = engine_->playing();
    return midi_.latest(playing ? &playing->graph : nullptr,
                        [this](const GraphTarget& target) { return engine_->value_of(target); });
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

/// JACK's server may change it at any time.
void LiveSession::tell_block_size() {
    const int frames = keeper_.stream()->period_frames();
    if (frames == std::exchange(block_said_, frames)) return;
    say(Kind::note, fmt::format("{} now plays blocks of {} frames", keeper_.format().name, frames));
}

/// When the fade to a patch of another latency is over.
void LiveSession::declare_latency() {
    const Arrangement* playing = engine_->playing();
    const int samples = playing ? playing->latency_samples : 0;
    if (samples == std::exchange(latency_declared_, samples)) return;
    keeper_.declare_latency(samples);
}

/// At most one line a second, and less and less often while it goes on: the status counts them all.
void LiveSession::report_xruns() {
    constexpr Clock::duration longest_pause = 60s;
    const std::uint64_t total = callback_->xruns();
    const Clock::duration since = Clock::now() - xruns_said_at_;
    if (total == xruns_said_ || since < xruns_pause_) return;
    xruns_pause_ = since > longest_pause + 1s ? 1s : std::min(2 * xruns_pause_, longest_pause);
    RoomStats& stats = engine_->room().stats();
    LoadFacts facts = load_facts();
    facts.worst_load = stats.worst_load_lately.exchange(0.f);
    facts.blocks -= std::exchange(blocks_judged_, facts.blocks);
    facts.late_blocks -= std::exchange(late_blocks_judged_, facts.late_blocks);
    say(Kind::xrun, fmt::format("{} ({} xrun{} at {:.2f} s)", load_verdict(facts), total - xruns_said_,
                                total - xruns_said_ == 1 ? "" : "s",
                                static_cast<double>(engine_->room().now()) / rate()));
    xruns_said_ = total;
    xruns_said_at_ = Clock::now();
}

/// Of the whole session.
LoadFacts LiveSession::load_facts() const {
    const RoomStats& stats = engine_->room().stats();
    return {.blocks = stats.blocks.load(),
            .late_blocks = stats.late_blocks.load(),
            .worst_load = stats.worst_load.load(),
            .usual_load = stats.usual_load.value(),
            .block_frames = block_said_,
            .busiest = busiest_nodes()};
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

HeardLatency LiveSession::latency() const {
    const Arrangement* playing = engine_->playing();
    AudioFormat format = keeper_.format();
    if (const AudioStream* stream = keeper_.stream()) {  // the driver may have other blocks by now
        format.block_frames = stream->period_frames();
        format.latency_frames = stream->latency_frames();
    }
    return heard_latency(format, playing ? playing->latency_samples : 0);
}

LiveStatus LiveSession::status(Peaks peaks) {
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
                      .last_midi = heard_midi(),
                      .usual_load = stats.usual_load.value(),
                      .latency = latency(),
                      .midi_late = stats.midi_late.load(),
                      .master = engine_->room().master_knobs()};
    status.scene = engine_->scene();
    const auto peak = [&](std::atomic<float>& loudest) {
        return to_db(peaks == Peaks::begin_anew ? loudest.exchange(0.f) : loudest.load());
    };
    for (const auto& [key, patient] : engine_->ward().patients())
        status.resting.push_back(engine_->node_id(key));
    for (int c = 0; c < std::min(format.in_channels, RoomStats::metered_channels); ++c)
        status.in_peak_db.push_back(peak(stats.in_peak[c]));
    for (int c = 0; c < std::min(format.out_channels, RoomStats::metered_channels); ++c)
        status.out_peak_db.push_back(peak(stats.out_peak[c]));
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
    summary.failures = counts.failures + refused_files_;
    for (const auto& port : ports_) {
        summary.midi_messages += port->received();
        summary.midi_dropped += port->dropped();
    }
    summary.midi_late = stats.midi_late.load();
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
    LoadFacts facts = load_facts();
    if (summary.xruns + summary.late_blocks > 0) summary.verdict = load_verdict(facts);
    summary.usual_load = facts.usual_load;
    summary.block_frames = facts.block_frames;
    summary.busiest = std::move(facts.busiest);
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

/// By what they usually take: a node that was interrupted once is not the busiest.
std::vector<NodeLoad> LiveSession::busiest_nodes() const {
    constexpr std::size_t most = 10;
    std::vector<NodeLoad> nodes;
    const Arrangement* playing = engine_->playing();
    if (!playing) return nodes;
    for (const auto& slot : playing->slots)
        if (const double ticks = double{slot->usual_ticks.value()}; ticks > 0.)
            nodes.push_back({slot->description.id, ticks * rate() / ticks_per_second()});
    std::stable_sort(nodes.begin(), nodes.end(),
                     [](const NodeLoad& a, const NodeLoad& b) { return a.load > b.load; });
    nodes.resize(std::min(nodes.size(), most));
    return nodes;
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
