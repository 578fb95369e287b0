#include "runtime/realtime/audio_room.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/four.hpp"
#include "runtime/realtime/denormals.hpp"

namespace gainstage {

namespace {
constexpr float panic_down_ms = 5.f, panic_up_ms = 20.f;
/// A clock read costs twice as much as a small node, so only a few nodes are timed on each block, in turn.
constexpr int timed_steps_per_block = 4;

/// Writes every place of the queue once, so that no page of it is missing when the audio thread comes there.
template <class Queue, class Value>
void touch(Queue& queue, const Value& value) {
    Value taken;
    for (std::size_t n = queue.write_available() + 1; n > 0; --n) {
        queue.push(value);
        queue.pop(taken);
    }
}
}  // namespace

AudioRoom::AudioRoom(const RoomConfig& config)
    : config_(config),
      ticks_per_sample_(ticks_per_second() / config.sample_rate_hz),
      crew_(config.crew.threads > 1 ? std::make_unique<Crew>(config.crew, config.sample_rate_hz) : nullptr),
      master_{.start = 0, .length = samples(start_ramp_ms), .from = 0.f, .to = 1.f},
      knobs_(knob_ring_size) {
    for (int p = 0; p < config.midi_ports; ++p) {
        midi_.push_back(std::make_unique<MidiQueue>());
        touch(*midi_.back(), StampedMidi{});
    }
    touch(news_, News{});
    touch(reports_, Report{});
    events_.resize(max_events);
    events_.clear();
}

std::uint32_t AudioRoom::samples(float ms) const noexcept {
    return static_cast<std::uint32_t>(std::lround(static_cast<double>(ms) * config_.sample_rate_hz / 1000.));
}

void AudioRoom::process(const float* const* in, int in_channels, float* const* out, int out_channels,
                        int frames, std::int64_t clock_ns) noexcept {
    const std::uint64_t begin = config_.time_nodes ? read_ticks() : 0;
    const FlushDenormals flush;
    DeviceBlock device{
        .in = in, .in_channels = in_channels, .out = out, .out_channels = out_channels, .offset = 0};
    for (int c = 0; c < out_channels; ++c) std::fill_n(out[c], frames, 0.f);

    take_news(frames, clock_ns);
    if (crew_) crew_->begin_block();
    while (device.offset < frames) {
        change_if_due();
        apply_due();
        const int count = piece_length(frames - device.offset);
        play_piece(device, count);
        device.offset += count;
    }
    if (crew_) crew_->end_block();
    catch_up(frames);

    published_now_.store(now_, std::memory_order_release);
    const std::uint64_t end = config_.time_nodes ? read_ticks() : 0;
    measure(in, in_channels, out, out_channels, frames, end - begin);
}

// ------------------------------------------------------------------------------------------------ news

void AudioRoom::take_news(int frames, std::int64_t clock_ns) noexcept {
    for (News news; events_.size() < max_events && news_.pop(news);) {
        if (news.transition) {
            pending_ = news.transition;
            warm_ = !pending_->warming || pending_->warming->time == now_;
        } else {
            schedule(news.event);
        }
    }
    take_midi(frames, clock_ns);
    last_clock_ns_ = clock_ns;
}

/// A message that arrived during the last block is played as far into this one as it came into that one: a
/// constant delay of a block instead of a jitter of one.
void AudioRoom::take_midi(int frames, std::int64_t clock_ns) noexcept {
    for (std::size_t p = 0; p < midi_.size(); ++p)
        for (StampedMidi message; events_.size() < max_events && midi_[p]->pop(message);) {
            const double late_s = static_cast<double>(message.arrival_ns - last_clock_ns_) * 1e-9;
            const double offset = last_clock_ns_ && clock_ns ? late_s * config_.sample_rate_hz : 0.;
            schedule({.kind = EventKind::midi,
                      .port = static_cast<std::uint8_t>(p),
                      .midi = message.message,
                      .stamp = now_ + static_cast<std::uint64_t>(std::clamp(offset, 0., frames - 1.))});
        }
}

/// Keeps events_ sorted, latest first, equal stamps in the order of arrival.
void AudioRoom::schedule(Event event) noexcept {
    if (events_.size() >= max_events) {
        stats_.events_lost.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    event.stamp = std::max(event.stamp, now_);
    auto at = events_.end();
    while (at != events_.begin() && (at - 1)->stamp <= event.stamp) --at;
    events_.insert(at, event);
}

void AudioRoom::apply_due() noexcept {
    while (!events_.empty() && events_.back().stamp <= now_) {
        const Event event = events_.back();
        events_.pop_back();
        apply(event);
    }
}

// ------------------------------------------------------------------------------------------------ events

/// What the MIDI map may see and move.
class AudioRoom::Host final : public MidiHost {
public:
    explicit Host(AudioRoom& room) : room_(room) {}

    float value(const GraphTarget& target) const noexcept override {
        Slot& slot = *room_.score_->targets[target.node].slot;
        return slot.knobs()[index(target, slot)].to;
    }
    void set(const GraphTarget& target, float value, float smooth_ms) noexcept override {
        TargetSlot& slots = room_.score_->targets[target.node];
        room_.move_target(slots, index(target, *slots.slot), value, smooth_ms);
    }
    void panic() noexcept override { room_.apply({.kind = EventKind::panic, .stamp = 0}); }

private:
    static std::int32_t index(const GraphTarget& target, const Slot& slot) noexcept {
        switch (target.kind) {
            case TargetKind::bypass:
                return slot.param_count + Slot::bypass;
            case TargetKind::mute:
                return slot.param_count + Slot::mute;
            default:
                return target.param;
        }
    }
    AudioRoom& room_;
};

void AudioRoom::apply(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::knob:
            return move_knob(event);
        case EventKind::midi: {
            Host host(*this);
            if (score_) score_->midi->receive(event.midi, host);
            break;
        }
        case EventKind::panic:
            if (fading_out_ || master_.to == 0.f) return;  // silent soon, or on the way to the reset
            master_ = {.start = now_, .length = samples(panic_down_ms), .from = master_.at(now_), .to = 0.f};
            schedule({.kind = EventKind::panic_reset, .stamp = now_ + master_.length});
            break;
        case EventKind::panic_reset:
            reset_all();
            if (!fading_out_)
                master_ = {.start = now_, .length = samples(panic_up_ms), .from = 0.f, .to = 1.f};
            return;  // follows from the panic; not news
        case EventKind::fade_out:
            fading_out_ = true;
            master_ = {.start = now_,
                       .length = std::max(1u, samples(event.value)),
                       .from = master_.at(now_),
                       .to = 0.f};
            break;
    }
    report({.kind = ReportKind::event, .stamp = now_, .event = event});
}

void AudioRoom::reset_all() noexcept {
    if (!plan_) return;
    for (const auto& slot : plan_->slots) slot->reset();
    remember_knob(every_node, -1, {.start = now_});
}

/// Does nothing where an edit that overtook the move took the node or the knob away.
void AudioRoom::move_knob(const Event& event) noexcept {
    if (!score_ || event.key >= score_->target_of_key.size()) return;
    const int index = score_->target_of_key[event.key];
    if (index < 0) return;
    TargetSlot& target = score_->targets[index];
    const auto& numbers = target.slot->knob_numbers;
    const auto knob = std::find(numbers.begin(), numbers.end(), event.knob);
    if (knob == numbers.end()) return;
    Event applied = event;
    applied.param = static_cast<std::int32_t>(knob - numbers.begin());
    report({.kind = ReportKind::event, .stamp = now_, .event = applied});
    move_target(target, applied.param, event.value, event.smooth_ms);
}

void AudioRoom::move_target(TargetSlot& target, std::int32_t param, float value, float smooth_ms) noexcept {
    Slot& slot = *target.slot;
    if (param < 0 || param >= static_cast<std::int32_t>(slot.ramps.size())) return;
    const Ramp ramp = start_ramp(slot, param, value, smooth_ms);
    if (target.leaving) {
        const int theirs = target.leaving_param[param];
        if (theirs >= 0) start_ramp(*target.leaving, theirs, value, smooth_ms);
    }
    remember_knob(slot.key, param, ramp);
}

/// Newcomers that are warmed now or later go the same way.
void AudioRoom::remember_knob(NodeKey key, std::int32_t param, const Ramp& ramp) noexcept {
    knobs_[knob_sequence_ % knob_ring_size] = {.key = key, .param = param, .ramp = ramp};
    report({.kind = ReportKind::knob,
            .key = key,
            .param = param,
            .value = ramp.to,
            .stamp = now_,
            .sequence = knob_sequence_++,
            .ramp = ramp});
}

Ramp AudioRoom::start_ramp(Slot& slot, std::int32_t param, float value, float smooth_ms) noexcept {
    const ParamSpec& spec = slot.specs[param];
    Ramp& ramp = slot.knobs()[param];
    const float asked = std::isnan(value) ? spec.start : value;
    if (asked != value || asked < spec.min || asked > spec.max)
        report({.kind = ReportKind::clamped, .key = slot.key, .param = param, .value = value, .stamp = now_});
    const float to = nearest_value(spec, asked);
    const float ms = smooth_ms >= 0.f ? smooth_ms : slot.smooth_ms[param];
    const std::uint32_t length = spec.steps > 1 ? 0 : samples(ms);
    ramp = {.start = now_, .length = length, .from = ramp.at(now_), .to = to};
    if (param >= slot.param_count) slot.update_plain();
    return ramp;
}

// ------------------------------------------------------------------------------------------------ playing

/// Cuts at the next event, at the begin of a change that is due, at the end of the running fade and at the
/// end of the stream's own.
int AudioRoom::piece_length(int wanted) const noexcept {
    std::uint64_t end = now_ + static_cast<std::uint64_t>(std::min(wanted, config_.max_frames));
    if (!events_.empty()) end = std::min(end, events_.back().stamp);
    if (fading_) end = std::min(end, fade_start_ + fading_->curve.size());
    if (pending_ && pending_->stamp > now_) end = std::min(end, pending_->stamp);
    if (fading_out_ && master_.moving(now_)) end = std::min(end, master_.start + master_.length);
    return static_cast<int>(end - now_);
}

void AudioRoom::play_piece(DeviceBlock& device, int frames) noexcept {
    if (plan_) {
        Piece piece{.time = now_,
                    .frames = frames,
                    .fade_start = fade_start_,
                    .device = &device,
                    .ceiling = score_->ceiling,
                    .latch_window_samples = Quarantine::window_s * config_.sample_rate_hz,
                    .trips = &trips_};
        if (config_.time_nodes) {
            const int steps = static_cast<int>(plan_->steps.size());
            piece.timed_begin = timed_next_ < steps ? timed_next_ : 0;
            piece.timed_end = piece.timed_begin + timed_steps_per_block;
            timed_next_ = piece.timed_end;
        }
        if (plan_->tasks) {
            crew_->play(*plan_, piece);
            report_stalls(*plan_->tasks);
        } else {
            run_plan(*plan_, piece);
        }
        report_trips(piece);
    }
    play_master(device, frames);
    now_ += static_cast<std::uint64_t>(frames);
}

void AudioRoom::play_master(DeviceBlock& device, int frames) noexcept {
    if (!master_.moving(now_) && master_.to == 1.f) return;
    for (int c = 0; c < device.out_channels; ++c) {
        float* out = device.out[c] + device.offset;
        for (int k = 0; k < frames; ++k) out[k] *= master_.at(now_ + static_cast<std::uint64_t>(k));
    }
    const std::uint64_t end = now_ + static_cast<std::uint64_t>(frames);
    if (fading_out_ && master_.moving(now_) && !master_.moving(end))
        report({.kind = ReportKind::silent, .stamp = end});
}

void AudioRoom::report_trips(const Piece& piece) noexcept {
    for (int i = 0; i < std::min(piece.trip_count, Piece::max_trips); ++i) {
        const Trip& trip = trips_[i];
        const Quarantine& q = trip.slot->quarantine;
        const int target = score_->target_of_key[trip.slot->key];
        if (target < 0 || score_->targets[target].slot != trip.slot) continue;  // it leaves anyway
        report({.kind = ReportKind::trip,
                .cause = trip.cause,
                .latched = q.latched,
                .key = trip.slot->key,
                .stamp = q.since});
    }
}

/// A node that a worker was given up in, as a trip of all that the worker holds.
void AudioRoom::report_stalls(const Tasks& tasks) noexcept {
    if (tasks.lost == 0 || tasks.lost_since != now_) return;
    for (std::size_t t = 0; t < tasks.list.size(); ++t)
        if (tasks.lost & task_bit(static_cast<int>(t)))
            report({.kind = ReportKind::stall,
                    .key = crew_->stands_in(*plan_, static_cast<int>(t)),
                    .stamp = now_,
                    .task = &tasks.list[t]});
}

void AudioRoom::report(const Report& report) noexcept {
    if (!reports_.push(report)) stats_.reports_lost.fetch_add(1, std::memory_order_relaxed);
}

namespace {

/// This thread is the only writer, so no other may come between load and store.
void count(std::atomic<std::uint64_t>& counter, std::uint64_t more) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

void raise_peak(std::atomic<float>& peak, const float* sound, int frames) noexcept {
    peak.store(peak_of(sound, frames, peak.load(std::memory_order_relaxed)), std::memory_order_relaxed);
}

}  // namespace

void AudioRoom::measure(const float* const* in, int in_channels, float* const* out, int out_channels,
                        int frames, std::uint64_t ticks) noexcept {
    for (int c = 0; c < std::min(in_channels, RoomStats::metered_channels); ++c)
        raise_peak(stats_.in_peak[c], in[c], frames);
    for (int c = 0; c < std::min(out_channels, RoomStats::metered_channels); ++c)
        raise_peak(stats_.out_peak[c], out[c], frames);
    const auto load = static_cast<float>(static_cast<double>(ticks) / (ticks_per_sample_ * frames));
    count(stats_.blocks, 1);
    count(stats_.frames, static_cast<std::uint64_t>(frames));
    stats_.load.store(load, std::memory_order_relaxed);
    if (load > 1.f) count(stats_.late_blocks, 1);
    if (load > stats_.worst_load.load(std::memory_order_relaxed)) {
        stats_.worst_load.store(load, std::memory_order_relaxed);
        stats_.worst_at.store(now_, std::memory_order_relaxed);
    }
}

}  // namespace gainstage
