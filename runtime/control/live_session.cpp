#include "runtime/control/live_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "runtime/control/realtime_rights.hpp"
#include "runtime/control/render.hpp"
#include "runtime/io/null_device.hpp"
#include "runtime/realtime/realtime_scope.hpp"

namespace gainstage {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

float to_db(float amplitude) {
    return 20.f * std::log10(std::max(amplitude, 6.3e-8f));
}

bool mentions(const std::vector<std::string>& files, const std::string& file) {
    return std::find(files.begin(), files.end(), file) != files.end();
}

std::string midi_text(const MidiMessage& m) {
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

}  // namespace

LiveSession::LiveSession(const LiveConfig& config, NodeTypes types, Listener listener)
    : config_(config), types_(types), listener_(std::move(listener)) {
    // The patch is read once without a rate, to know its channels before anything is opened.
    PatchLoader reader(types_, 0.);
    const Resolved first = reader.load(config_.patch);
    problems_ = first.problems;
    if (!first.graph) return;

    AudioRequest request = config_.audio;
    request.in_channels = channels_used(*first.graph, Door::in);
    request.out_channels = channels_used(*first.graph, Door::out);
    if (config_.null_device)
        stream_ = std::make_unique<NullDevice>(request);
    else
        stream_ = std::make_unique<AudioDevice>(request);

    const auto rate = static_cast<double>(stream_->format().rate_hz);
    loader_ = std::make_unique<PatchLoader>(types_, rate);
    std::vector<Refusal> refused = check_realtime_priority(request.priority);  // raises the workers' limit
    engine_ = std::make_unique<Engine>(
        EngineConfig{.room = {.sample_rate_hz = rate,
                              .max_frames = std::min(stream_->format().block_frames, max_block_frames),
                              .midi_ports = static_cast<int>(config_.midi.size()),
                              .crew = crew(request.priority)},
                     .builder = &builder_});
    engine_->listen([this](const EngineNews& news) { hear(news); });
    if (!config_.log.empty()) log_ = std::make_unique<TakeLog>(config_.log, rate);
    if (!config_.record.empty())
        recorder_ = std::make_unique<InputRecorder>(config_.record, stream_->format().in_channels,
                                                    stream_->format().rate_hz);
    open_midi();
    if (!load_first()) return;

    const std::vector<Refusal> not_locked = lock_memory();
    refused.insert(refused.end(), not_locked.begin(), not_locked.end());
    for (const Refusal& refusal : refused) say(LiveNews::Kind::refusal, refusal.text());
    DeviceCallbackScope::prepare();
    stream_->start(&LiveSession::callback, this);
    say(LiveNews::Kind::started, fmt::format("{} plays on {} ({}, {} Hz, {} frames, {} in, {} out)",
                                             config_.patch, stream_->format().name, stream_->format().api,
                                             stream_->format().rate_hz, stream_->format().block_frames,
                                             stream_->format().in_channels, stream_->format().out_channels));
}

/// The audio thread waits for workers, so they have its priority. A worker that is interrupted for as long as
/// the audio thread itself may be on a busy machine is waited for: nothing is better by giving up sooner.
CrewConfig LiveSession::crew(int priority) {
    constexpr double patience_ms = 30.;
    const int cores = usable_cores();
    if (config_.threads > cores)
        say(LiveNews::Kind::refusal,
            fmt::format("{} threads are more than this machine can run at once; {} play", config_.threads,
                        cores));
    return {.threads = std::min(config_.threads, cores),
            .patience_ms = patience_ms,
            .period_frames = stream_->format().block_frames,
            .prepare = [priority] { prepare_worker(priority); }};
}

LiveSession::~LiveSession() {
    if (stream_) stream_->stop();
}

void LiveSession::callback(void* self, const float* const* in, float* const* out, int frames,
                           bool input_overflow, bool output_underflow) {
    auto& session = *static_cast<LiveSession*>(self);
    thread_local bool touched = (pretouch_stack(), true);
    (void)touched;
    const std::int64_t clock_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
    const DeviceCallbackScope scope;
    if (input_overflow) session.input_overflows_.fetch_add(1, std::memory_order_relaxed);
    if (output_underflow) session.output_underflows_.fetch_add(1, std::memory_order_relaxed);
    if (session.recorder_) session.recorder_->push(in, frames);
    const AudioFormat& format = session.stream_->format();
    session.engine_->room().process(in, format.in_channels, out, format.out_channels, frames, clock_ns);
}

bool LiveSession::load_first() {
    if (config_.rehearse) watcher_ = std::make_unique<FileWatcher>();
    if (watcher_) watcher_->watch({config_.patch});  // before it is read: an edit in between is not missed
    Resolved resolved = loader_->load(config_.patch);
    problems_ = resolved.problems;
    if (!resolved.graph) return false;
    watch(*resolved.graph);
    engine_->play(std::move(*resolved.graph));
    for (engine_->tick(); engine_->preparing(); engine_->tick()) std::this_thread::sleep_for(1ms);
    problems_.insert(problems_.end(), engine_->refusal().begin(), engine_->refusal().end());
    return !has_errors(problems_);
}

void LiveSession::open_midi() {
    for (std::size_t p = 0; p < config_.midi.size(); ++p)
        midi_.push_back(
            std::make_unique<MidiInput>(config_.midi[p], engine_->room().midi_queue(static_cast<int>(p))));
}

void LiveSession::say(LiveNews::Kind kind, const std::string& text) {
    listener_({.kind = kind, .text = text});
}

// ------------------------------------------------------------------------------------------------ one turn

bool LiveSession::turn() {
    if (watcher_) {
        const std::vector<std::string> changed = watcher_->poll(5ms);
        if (!changed.empty()) reload(changed);
    } else {
        std::this_thread::sleep_for(5ms);
    }
    engine_->tick();
    report_xruns();
    write_files();
    if (is_device_lost()) return false;
    return config_.seconds <= 0. ||
           static_cast<double>(engine_->room().now()) < config_.seconds * stream_->format().rate_hz;
}

/// Says so, once.
bool LiveSession::is_device_lost() {
    if (device_lost_) return true;
    if (!stream_->is_running())
        lose_device("the audio device is gone; start again when it is back");
    else if (stream_->has_stalled())
        lose_device(
            stream_->format().api == "jack"
                ? "JACK has stopped calling: its server hangs, or its block size was changed; start again"
                : "the audio device has stopped calling; start again when it is back");
    return device_lost_;
}

void LiveSession::lose_device(const std::string& cause) {
    device_lost_ = true;
    say(LiveNews::Kind::device_lost, fmt::format("{}: {}", stream_->format().name, cause));
}

/// What can't be written is said; playing goes on.
void LiveSession::write_files() {
    if (log_ && !log_->good() && std::exchange(log_was_good_, false))
        report_unwritten(
            fmt::format("{}: could not be written (is the disk full?); the take can't be repeated from here",
                        config_.log));
    if (!recorder_) return;
    try {
        recorder_->drain();
    } catch (const WriteError& error) {
        report_unwritten(error.what());
    }
    if (recorder_->lost() > 0 && std::exchange(recording_was_whole_, false))
        report_unwritten(
            fmt::format("{}: the disk is too slow, a part of the recording is silence", config_.record));
}

void LiveSession::report_unwritten(const std::string& cause) {
    is_incomplete_ = true;
    say(LiveNews::Kind::problem, cause + "; playing goes on");
}

void LiveSession::watch(const Graph& graph) {
    if (!watcher_) return;
    std::vector<std::string> files = graph.files;
    if (!mentions(files, config_.patch)) files.push_back(config_.patch);
    watcher_->watch(files);
}

/// A file that can't be used is reported; what plays plays on.
void LiveSession::reload(const std::vector<std::string>& changed) {
    for (const std::string& file : changed) loader_->forget(file);
    Resolved resolved = loader_->load(config_.patch);
    for (const Problem& problem : resolved.problems)
        say(problem.is_note ? LiveNews::Kind::note : LiveNews::Kind::problem, problem.text());
    if (!resolved.graph) return say(LiveNews::Kind::note, "what was playing plays on");
    const Graph& graph = *resolved.graph;
    watch(graph);
    const AudioFormat& format = stream_->format();
    if (channels_used(graph, Door::in) > format.in_channels ||
        channels_used(graph, Door::out) > format.out_channels)
        return say(LiveNews::Kind::problem,
                   fmt::format("{}: names device channels beyond the {} in and {} out that were opened; "
                               "start again to use them. What was playing plays on",
                               config_.patch, format.in_channels, format.out_channels));
    engine_->play(std::move(*resolved.graph));
}

/// At most one line a second, however bad it is.
void LiveSession::report_xruns() {
    const std::uint64_t total = input_overflows_.load() + output_underflows_.load();
    if (total == xruns_said_ || Clock::now() - xruns_said_at_ < 1s) return;
    say(LiveNews::Kind::xrun,
        fmt::format("{} xrun(s) at {:.2f} s; the worst block so far took {:.0f} % of its time",
                    total - xruns_said_,
                    static_cast<double>(engine_->room().now()) / stream_->format().rate_hz,
                    static_cast<double>(engine_->room().stats().worst_load.load()) * 100.));
    xruns_said_ = total;
    xruns_said_at_ = Clock::now();
}

void LiveSession::hear(const EngineNews& news) {
    if (news.kind == EngineNews::Kind::event && news.event.kind == EventKind::midi)
        last_midi_ = midi_text(news.event.midi);
    if (log_) log_->write(news);
    if (news.kind == EngineNews::Kind::failed && !engine_->playing())
        return;  // before the first patch: see problems()
    listener_({.kind = LiveNews::Kind::engine, .text = news.text, .engine = &news});
}

// ------------------------------------------------------------------------------------------------ words and
// numbers

LiveStatus LiveSession::status() {
    RoomStats& stats = engine_->room().stats();
    const AudioFormat& format = stream_->format();
    LiveStatus status{.seconds = static_cast<double>(engine_->room().now()) / format.rate_hz,
                      .in_peak_db = {},
                      .out_peak_db = {},
                      .load = stats.load.load(),
                      .worst_load = stats.worst_load.load(),
                      .xruns = input_overflows_.load() + output_underflows_.load(),
                      .gain_reduction_db = {},
                      .last_midi = last_midi_};
    for (int c = 0; c < std::min(format.in_channels, RoomStats::metered_channels); ++c)
        status.in_peak_db.push_back(to_db(stats.in_peak[c].exchange(0.f)));
    for (int c = 0; c < std::min(format.out_channels, RoomStats::metered_channels); ++c)
        status.out_peak_db.push_back(to_db(stats.out_peak[c].exchange(0.f)));
    if (const Arrangement* playing = engine_->playing())
        for (const auto& slot : playing->slots)
            for (std::size_t r = 0; r < slot->readings.size(); ++r)
                if (slot->description.type->readings[r].name == "gain_reduction_db")
                    status.gain_reduction_db.emplace_back(slot->description.id,
                                                          slot->readings[r].load(std::memory_order_relaxed));
    return status;
}

/// Plays on for two seconds at most, and as long as there is a device.
void LiveSession::play_until(const std::function<bool()>& is_over) {
    const auto patience = Clock::now() + 2s;
    while (!is_over() && Clock::now() < patience && !is_device_lost()) {
        std::this_thread::sleep_for(2ms);
        engine_->tick();
        write_files();
    }
}

void LiveSession::fade_out() {
    bool asked = false;
    play_until([&] {
        asked = asked || engine_->fade_out(50.f);
        return engine_->silent();
    });
    // The fade has been played, not heard: its last blocks are on their way through the driver's buffers.
    const AudioFormat& format = stream_->format();
    const int blocks_on_their_way = 4 + format.latency_frames / std::max(format.block_frames, 1);
    const std::uint64_t heard = stream_->callbacks() + static_cast<std::uint64_t>(blocks_on_their_way);
    play_until([&] { return stream_->callbacks() >= heard; });
}

LiveSummary LiveSession::finish() {
    if (!is_device_lost()) fade_out();
    stream_->stop();
    if (stream_->was_given_up())
        lose_device("the audio server does not answer and is left as it is; restart it");
    engine_->tick();
    write_files();
    const RoomStats& stats = engine_->room().stats();
    const double rate = stream_->format().rate_hz;
    LiveSummary summary{.seconds = static_cast<double>(engine_->room().now()) / rate,
                        .blocks = stats.blocks.load(),
                        .xruns = input_overflows_.load() + output_underflows_.load(),
                        .late_blocks = stats.late_blocks.load(),
                        .swaps = engine_->counts().swaps,
                        .edits = engine_->counts().edits,
                        .trips = engine_->counts().trips,
                        .failures = engine_->counts().failures,
                        .midi_messages = 0,
                        .midi_dropped = 0,
                        .reports_lost = engine_->room().reports_lost(),
                        .events_lost = stats.events_lost.load(),
                        .swaps_postponed = stats.swaps_postponed.load(),
                        .worst_load = stats.worst_load.load(),
                        .worst_at_s = static_cast<double>(stats.worst_at.load()) / rate,
                        .slowest_node = {},
                        .slowest_node_load = 0.,
                        .recorded_s = 0.,
                        .record_lost_s = 0.,
                        .shared_pieces = 0,
                        .unshared_pieces = 0,
                        .stalls = 0,
                        .longest_wait_us = 0.,
                        .device_lost = device_lost_,
                        .given_up = stream_->was_given_up(),
                        .is_incomplete = false};
    for (const auto& input : midi_) {
        summary.midi_messages += input->received();
        summary.midi_dropped += input->dropped();
    }
    if (const Arrangement* playing = engine_->playing())
        for (const auto& slot : playing->slots) {
            const auto frames = static_cast<double>(slot->timed_frames.load());
            const double share = frames > 0. ? static_cast<double>(slot->timed_ticks.load()) / frames * rate /
                                                   ticks_per_second()
                                             : 0.;
            if (share <= summary.slowest_node_load) continue;
            summary.slowest_node_load = share;
            summary.slowest_node = slot->description.id;
        }
    finish_recording(summary);
    count_crew(summary);
    return summary;
}

void LiveSession::count_crew(LiveSummary& summary) {
    if (!engine_->room().crew()) return;
    const CrewStats& stats = engine_->room().crew()->stats();
    summary.shared_pieces = stats.shared.load();
    summary.unshared_pieces = stats.alone.load();
    summary.stalls = stats.stalls.load();
    summary.longest_wait_us = static_cast<double>(stats.longest_wait_ticks.load()) / ticks_per_second() * 1e6;
}

void LiveSession::finish_recording(LiveSummary& summary) {
    if (recorder_) try {
            recorder_->finish();
        } catch (const WriteError& error) {
            is_incomplete_ = true;
            say(LiveNews::Kind::problem, error.what());
        }
    if (recorder_) {
        summary.recorded_s = static_cast<double>(recorder_->frames()) / stream_->format().rate_hz;
        summary.record_lost_s = static_cast<double>(recorder_->lost()) / stream_->format().rate_hz;
    }
    summary.is_incomplete = is_incomplete_;
}

}  // namespace gainstage
