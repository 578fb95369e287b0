/// A session's way to the first sample.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "runtime/control/live_session.hpp"
#include "runtime/io/midi_input.hpp"
#include "runtime/realtime/realtime_scope.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

void LiveSession::open_device(const Graph& graph) {
    stage_ = Stage::opening;
    AudioRequest request = config_.audio;
    request.in_channels = channels_used(graph, Door::in);
    request.out_channels = channels_used(graph, Door::out);
    request.midi_ports = static_cast<int>(config_.midi.size());
    inputs_ = graph.files;
    keeper_.open(request, [this](const Failure& failure) {
        if (stage_ != Stage::opening) return;
        if (failure) return fail(failure.exit_code, failure.text);
        prepare();
    });
}

// ------------------------ preparing

/// Whatever does not need the rest, at the same time.
void LiveSession::prepare() {
    stage_ = Stage::preparing;
    loader_ = std::make_unique<PatchLoader>(types_, rate());
    make_engine();
    open_files();
    open_ports();
    watch_queues();
    if (config_.rehearse) watcher_ = std::make_unique<FileWatcher>();
    if (watcher_) watcher_->watch({config_.patch});  // before it is read: an edit in between is not missed
    ++awaited_;
    load([this](Resolved resolved) {
        first_ = std::move(resolved);
        count_prepared();
    });
}

void LiveSession::make_engine() {
    const AudioFormat& format = keeper_.format();
    for (const Refusal& refusal : check_realtime_priority(config_.audio.priority))  // raises the crew's limit
        say(Kind::refusal, refusal.text());
    engine_ = std::make_unique<Engine>(
        EngineConfig{.room = {.sample_rate_hz = rate(),
                              .max_frames = std::min(format.block_frames, max_block_frames),
                              .midi_ports = static_cast<int>(config_.midi.size()),
                              .decoders = static_cast<int>(config_.midi.size()),
                              .in_channels = format.in_channels,
                              .crew = crew(config_.audio.priority),
                              .queues = means_.queues.value_or(QueueSizes::for_stage(!config_.log.empty()))},
                     .builder = builder_.get(),
                     .most_bytes = config_.most_bytes ? config_.most_bytes : half_of_memory()});
    engine_->listen([this](const EngineNews& news) { hear(news); });
    if (config_.start_muted) engine_->set(MasterKnob::mute, 1.f, 0.f);  // from the first sample on
    if (const Crew* crew = engine_->room().crew(); crew && !crew->shortage().empty())
        say(Kind::refusal, crew->shortage());
    if (!config_.record.empty())
        tap_ = std::make_unique<InputTap>(format.in_channels, InputRecorder::ring_seconds * format.rate_hz);
    callback_ = std::make_unique<StreamCallback>(engine_->room(), tap_.get(), format.in_channels,
                                                 format.out_channels);
}

/// The audio thread waits for workers, so they have its priority. A worker that is interrupted for as long as
/// the audio thread itself may be on a busy machine is waited for: nothing is better by giving up sooner.
CrewConfig LiveSession::crew(int priority) {
    constexpr double patience_ms = 30.;
    const int cores = usable_cores();
    if (config_.threads > cores)
        say(Kind::refusal, fmt::format("{} threads are more than this machine can run at once; {} play",
                                       config_.threads, cores));
    return {.threads = std::min(config_.threads, cores),
            .patience_ms = patience_ms,
            .period_frames = keeper_.format().block_frames,
            .prepare = [priority] { prepare_worker(priority); }};
}

void LiveSession::open_files() {
    if (config_.log.empty() && config_.record.empty()) return;
    const TakeWriter::Listener listener{.trouble =
                                            [this](const std::string& trouble) {
                                                is_incomplete_ = true;
                                                const bool plays = stage_ < Stage::closing;
                                                say(Kind::problem,
                                                    trouble + (plays ? "; playing goes on" : ""));
                                            },
                                        .note = [this](const std::string& text) { say(Kind::note, text); }};
    writer_ = std::make_unique<TakeWriter>(TakeWriter::Files{.log = config_.log,
                                                             .record = config_.record,
                                                             .tap = tap_.get(),
                                                             .rate_hz = keeper_.format().rate_hz,
                                                             .overwrite = config_.overwrite,
                                                             .inputs = inputs_},
                                           inbox_, listener);
    ++awaited_;
    writer_->open([this](const Failure& failure) {
        file_failure_ = failure;
        count_prepared();
    });
}

void LiveSession::open_ports() {
    const std::shared_ptr<StreamMidi> stream = keeper_.stream()->midi();
    for (std::size_t p = 0; p < config_.midi.size(); ++p) {
        ++awaited_;
        const PortKeeper::Open open = [stream, number = static_cast<int>(p)](const std::string& name,
                                                                             MidiQueue& queue) {
            return open_midi_port(name, number, queue, stream.get());
        };
        ports_.push_back(std::make_unique<PortKeeper>(means_.open_port ? means_.open_port : open, inbox_));
        ports_.back()->open(config_.midi[p], engine_->room().midi_queue(static_cast<int>(p)),
                            [this](const Failure& failure) {
                                if (!port_failure_) port_failure_ = failure;
                                count_prepared();
                            });
    }
}

void LiveSession::watch_queues() {
    losses_.emplace(
        [this] { return engine_->room().now(); },
        [this] {
            return static_cast<std::uint64_t>(keeper_.stream() ? keeper_.stream()->period_frames() : 0);
        });
    for (const auto& port : ports_)
        losses_->add(Loss::Kind::midi, [&keeper = *port] { return keeper.dropped(); });
    losses_->add(Loss::Kind::events, [this] { return engine_->room().stats().events_lost.load(); });
    if (tap_) losses_->add(Loss::Kind::frames, [this] { return tap_->lost(); });
}

void LiveSession::count_prepared() {
    if (--awaited_ > 0 || stage_ != Stage::preparing) return;
    for (const Failure* failure : {&file_failure_, &port_failure_})
        if (*failure) return fail(failure->exit_code, failure->text);
    midi_.set_ports(port_names());
    say(first_.problems);
    if (!first_.graph) return fail(first_.problems);
    build();
}

// ------------------------ to sound

void LiveSession::build() {
    stage_ = Stage::building;
    watch(*first_.graph);
    engine_->play(std::move(*first_.graph));
}

/// What was built is in memory, so that it can be locked there.
void LiveSession::lock() {
    if (has_errors(engine_->refusal())) return fail(engine_->refusal());
    stage_ = Stage::locking;
    const auto refused = std::make_shared<std::vector<Refusal>>();
    builder_->run([refused] { *refused = lock_memory(); },
                  [this, refused] {
                      if (stage_ != Stage::locking) return;
                      for (const Refusal& refusal : *refused) say(Kind::refusal, refusal.text());
                      start();
                  });
}

void LiveSession::start() {
    stage_ = Stage::starting;
    if (writer_) set_sudden_end(sysexits::cannot_write);  // until its files are whole
    DeviceCallbackScope::prepare();
    block_said_ = keeper_.format().block_frames;
    declare_latency();
    keeper_.start(&StreamCallback::play, callback_.get(), [this](const Failure& failure) {
        if (stage_ != Stage::starting) return;
        if (failure) return fail(failure.exit_code, failure.text);
        stage_ = Stage::playing;
        announce();
        stir();
    });
}

std::vector<std::string> LiveSession::port_names() const {
    std::vector<std::string> names;
    for (const auto& port : ports_) names.push_back(port->name());
    return names;
}

/// Which ports are heard, in full, for names are given in part. Nothing where no port is wanted.
std::string LiveSession::ports_text() const {
    if (const std::vector<std::string> names = port_names(); !names.empty())
        return fmt::format(", MIDI from {}", fmt::join(names, " and "));
    const Arrangement* playing = engine_->playing();
    if (!playing || playing->graph.midi.empty()) return "";
    const std::size_t count = playing->graph.midi.size();
    return fmt::format(", no MIDI port (--midi NAME opens one: {} for it)",
                       count == 1 ? "1 control waits" : fmt::format("{} controls wait", count));
}

/// Nothing where no input is heard.
std::string LiveSession::latency_text() const {
    const AudioFormat& format = keeper_.format();
    return format.in_channels > 0 && format.out_channels > 0 ? ", latency " + text_of(latency()) : "";
}

/// Sound flows. A driver may call before it says that it has started.
void LiveSession::announce() {
    if (std::exchange(announced_, true)) return;
    announced_at_ = Clock::now();
    cpu_at_announcement_s_ = cpu_seconds();
    const AudioFormat& format = keeper_.format();
    const double queue_mb = static_cast<double>(engine_->room().queue_bytes().all()) * 1e-6;
    say(Kind::started,
        fmt::format("{} plays on {} ({}, {} Hz, {} frames, {} in, {} out){}{}{}; its queues take {:.1f} MB "
                    "of memory{}",
                    config_.patch, format.name, format.api, format.rate_hz, format.block_frames,
                    format.in_channels, format.out_channels, latency_text(), ports_text(),
                    config_.start_muted ? ", muted until `set master.mute off`" : "", queue_mb,
                    words_at_start_));
    if (!format.remark.empty()) say(Kind::note, format.remark);
}

}  // namespace gainstage
