#include "runtime/realtime/audio_room.hpp"

#include <algorithm>

#include "runtime/realtime/denormals.hpp"

namespace gainstage {

AudioRoom::AudioRoom(const RoomConfig& config)
    : config_(config),
      crew_(config.crew.threads > 1 ? std::make_unique<Crew>(config.crew, config.sample_rate_hz) : nullptr),
      outbox_(config.queues.log, config.queues.reports),
      arrivals_(config.sample_rate_hz),
      timeline_(config.queues.due),
      trail_(config.queues.moves),
      desk_(config.sample_rate_hz, config.decoders, trail_, outbox_),
      seat_(trail_, crew_.get(), config.max_frames),
      master_(config.sample_rate_hz, config.in_channels),
      meter_(config.sample_rate_hz) {
    master_.start(config.start_ramp_ms);
    for (int p = 0; p < config.midi_ports; ++p)
        midi_.push_back({.queue = std::make_unique<MidiQueue>(config.queues.midi)});
    touch(news_, News{});
}

QueueBytes AudioRoom::queue_bytes() const noexcept {
    return {.midi = midi_.size() * static_cast<std::size_t>(config_.queues.midi) * sizeof(StampedMidi),
            .due = timeline_.bytes(),
            .moves = trail_.bytes(),
            .log = outbox_.entry_bytes(),
            .reports = outbox_.report_bytes()};
}

bool AudioRoom::post(Transition* transition) {
    if (news_.push({{}, transition})) return true;
    stats().swaps_postponed.fetch_add(1, std::memory_order_relaxed);
    return false;
}

void AudioRoom::process(const AudioBlock& block, int in_channels, int out_channels,
                        std::int64_t clock_ns) noexcept GAINSTAGE_REALTIME {
    const std::uint64_t begin = config_.time_nodes ? read_ticks() : 0;
    const FlushDenormals flush;
    const int frames = block.frames;
    DeviceBlock device{.in = block.in,
                       .in_channels = in_channels,
                       .out = block.out,
                       .out_channels = out_channels,
                       .offset = 0};
    for (int c = 0; c < out_channels; ++c) std::fill_n(block.out[c], frames, 0.f);

    block_begin_ = now_;
    take_news();
    const bool lost_time = block.input_overflow || block.output_underflow || block.freewheels;
    if (clock_ns != 0) arrivals_.begin_block(frames, clock_ns, lost_time);
    take_queued_midi(frames, clock_ns != 0);
    take_midi(block.midi);
    if (crew_) crew_->begin_block(block.freewheels);
    while (device.offset < frames) {
        change_if_due();
        apply_due();
        const int count = piece_length(frames - device.offset);
        play_piece(device, count);
        device.offset += count;
    }
    if (crew_) crew_->end_block();
    if (seat_.catch_up(now_, frames)) outbox_.ring();
    outbox_.settle();

    published_now_.store(now_, std::memory_order_release);
    // Without a clock no block is late.
    const bool is_timed = config_.time_nodes && !block.freewheels;
    const std::uint64_t ticks = is_timed ? read_ticks() - begin : 0;
    meter_.add({block.in, in_channels, block.out, out_channels, frames, now_, ticks});
}

// What comes in

void AudioRoom::take_news() noexcept {
    for (News news; !timeline_.is_full() && news_.pop(news);)
        news.transition ? seat_.take(*news.transition, now_) : schedule(news.event);
}

/// No more than 1,024 and four times of what comes in a flood of a block wait at a time, the same share of
/// each port: after a pause of the stream, thousands that have waited are spread over some blocks.
void AudioRoom::take_queued_midi(int frames, bool has_clock) noexcept {
    constexpr double most_per_second = 4. * Flood::messages_per_second;
    const int ports = std::max(1, static_cast<int>(midi_.size()));
    const int most = (1'024 + static_cast<int>(most_per_second / config_.sample_rate_hz * frames)) / ports;
    for (std::size_t p = 0; p < midi_.size(); ++p) {
        MidiIn& in = midi_[p];
        StampedMidi message;
        for (; in.waiting < most && !timeline_.is_full() && in.queue->pop(message); ++in.waiting) {
            const std::uint64_t due = has_clock ? due_at(message.arrival_ns) : now_;
            in.latest = std::max(in.latest, due);  // the clock may be corrected between two messages
            schedule({.kind = EventKind::midi,
                      .port = static_cast<std::uint8_t>(p),
                      .midi = message.message,
                      .stamp = in.latest});
        }
    }
}

/// A message that is late is due now, and counted.
std::uint64_t AudioRoom::due_at(std::int64_t arrival_ns) noexcept {
    const double due_in = arrivals_.due_in(arrival_ns);
    if (due_in < 0.) meter_.stats().midi_late.fetch_add(1, std::memory_order_relaxed);
    return now_ + static_cast<std::uint64_t>(std::max(due_in, 0.) + 0.5);
}

/// These need no clock: the driver says at which frame.
void AudioRoom::take_midi(std::span<const BlockMidi> midi) noexcept {
    for (const BlockMidi& one : midi)
        schedule({.kind = EventKind::midi,
                  .port = static_cast<std::uint8_t>(one.port),
                  .midi = one.message,
                  .stamp = now_ + static_cast<std::uint64_t>(one.frame)});
}

/// An event that is late happens now.
void AudioRoom::schedule(Event event) noexcept {
    event.stamp = std::max(event.stamp, now_);
    if (!timeline_.add(event)) meter_.stats().events_lost.fetch_add(1, std::memory_order_relaxed);
}

// What happens

void AudioRoom::apply_due() noexcept {
    while (timeline_.next() <= now_) apply(timeline_.take());
}

void AudioRoom::apply(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::knob:
            if (seat_.score()) desk_.turn(*seat_.score(), event, now_);
            return;
        case EventKind::scene:
            if (seat_.score()) desk_.choose(*seat_.score(), event, now_);
            return;
        case EventKind::midi:
            // A port's messages come by its queue or with the blocks, never both.
            if (event.port < midi_.size() && midi_[event.port].waiting > 0) --midi_[event.port].waiting;
            if (seat_.score() && desk_.receive(*seat_.score(), event, now_)) panic();
            break;
        case EventKind::panic:
            return panic();
        case EventKind::panic_reset:
            forget_all_sound();
            return master_.come_back(now_);
        case EventKind::fade_out:
            master_.fade_out(now_, event.value);
            break;
        case EventKind::master:
            master_.turn(static_cast<MasterKnob>(event.param), event.value, event.smooth_ms, now_);
            break;
    }
    outbox_.log({event, now_});
}

void AudioRoom::panic() noexcept {
    const std::uint64_t reset = master_.panic(now_);
    if (reset == Master::never) return;
    // There is room: what asked for the panic has left its place on the timeline.
    schedule({.kind = EventKind::panic_reset, .stamp = reset});
    outbox_.log({Event{.kind = EventKind::panic}, now_});
}

void AudioRoom::forget_all_sound() noexcept {
    if (!seat_.plan()) return;
    for (const auto& slot : seat_.plan()->slots) slot->reset();
    desk_.forget(now_);
}

/// A change that begins at a sample comes before the events of that sample.
void AudioRoom::change_if_due() noexcept {
    if (seat_.finish_if_due(now_)) outbox_.ring();
    const ChangeSeat::Due due = seat_.due(now_, block_begin_);
    if (due == ChangeSeat::Due::no) return;
    if (due == ChangeSeat::Due::now) {
        const std::vector<KnobMove>& moves = seat_.begin(now_);
        outbox_.ring();  // before the moves are told
        desk_.follow(*seat_.score(), moves, now_);
        seat_.finish_if_due(now_);  // where nothing fades
    }
    outbox_.ring();
}

// What plays

/// A piece ends at the next event, where a change begins, and where a fade of the patch or of the stream
/// ends.
int AudioRoom::piece_length(int wanted) const noexcept {
    std::uint64_t end = now_ + static_cast<std::uint64_t>(std::min(wanted, config_.max_frames));
    end = std::min(end, timeline_.next());
    end = std::min(end, seat_.next_cut(now_));
    end = std::min(end, master_.next_cut(now_));
    return static_cast<int>(end - now_);
}

void AudioRoom::play_piece(DeviceBlock& device, int frames) noexcept {
    if (Plan* plan = seat_.plan()) {
        Piece piece{.time = now_,
                    .frames = frames,
                    .fade_start = seat_.fade_start(),
                    .device = &device,
                    .latch_window_samples = TripRecord::window_s * config_.sample_rate_hz};
        if (config_.time_nodes) meter_.choose_timed(*plan, piece);
        remember(plan->device_past, device, frames, now_);
        play_plan(*plan, piece);
    }
    if (seat_.score()) master_.follow(seat_.score()->straight, now_);
    if (master_.play(device, frames, now_)) outbox_.ring();
    now_ += static_cast<std::uint64_t>(frames);
}

void AudioRoom::play_plan(Plan& plan, Piece& piece) noexcept {
    if (plan.tasks)
        crew_->play(plan, piece);
    else
        run_plan(plan, piece);
    const bool stalled = plan.tasks && plan.tasks->lost && plan.tasks->lost_since == now_;
    if (piece.trip_count > 0 || stalled) outbox_.ring();
}

}  // namespace gainstage
