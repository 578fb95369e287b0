#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "runtime/four.hpp"
#include "runtime/realtime/plan.hpp"

namespace gainstage {

namespace {

/// |x| <= ceiling for all of them. Compares bit patterns, in which NaN and Inf lie above every finite number.
bool each_within(const float* x, int frames, std::int32_t ceiling_bits) noexcept {
    std::int32_t over = 0;
    for (int k = 0; k < frames; ++k)
        over |= static_cast<std::int32_t>((std::bit_cast<std::int32_t>(x[k]) & 0x7fffffff) > ceiling_bits);
    return over == 0;
}

/// True for most sound of ordinary level, in a few instructions: all patterns or-ed together are no smaller
/// than the greatest, and stay below that of 2.0 while every sample does.
inline bool surely_within(const float* x, int frames, std::int32_t ceiling_bits) noexcept {
    return frames % 16 == 0 && (or_of_bits(x, frames) & 0x7fffffff) <= ceiling_bits;
}

/// First frame with a bad sample in any channel of any output; `frames` where there is none.
int first_bad(const Step& step, int offset, int frames, float ceiling, TripCause& cause) noexcept {
    for (int k = 0; k < frames; ++k)
        for (int p = 0; p < step.output_count; ++p)
            for (int c = 0; c < step.outputs[p].channels; ++c) {
                const float x = step.outputs[p].channel[c][offset + k];
                if (std::abs(x) <= ceiling) continue;
                cause = std::isfinite(x) ? TripCause::above_ceiling : TripCause::not_finite;
                return k;
            }
    return frames;
}

void record_trip(Slot& slot, std::uint64_t time, double window_samples) noexcept {
    Quarantine& q = slot.quarantine;
    q.tripped = true;
    q.since = time;
    slot.plain_from = ~std::uint64_t{0};
    if (q.trip_count == Quarantine::trips_to_latch) {
        for (std::size_t i = 1; i < q.trips.size(); ++i) q.trips[i - 1] = q.trips[i];
        --q.trip_count;
    }
    q.trips[q.trip_count++] = time;
    q.latched = q.trip_count == Quarantine::trips_to_latch &&
                static_cast<double>(time - q.trips[0]) <= window_samples;
}

float& last_good(Slot& slot, int port, int channel) noexcept {
    return slot.last_good[port * max_channels + channel];
}

/// The dry sound of a step at piece-relative frames: its first input, folded to mono where the output is;
/// silence for a node without inputs, and for a delay in a loop, whose input comes later.
class Dry {
public:
    explicit Dry(const Step& step, int offset) noexcept
        : step_(step), offset_(offset), silent_(step.kind == StepKind::emit || step.input_count == 0) {}

    /// Latency-aligned.
    float aligned(int channel, int frame) const noexcept {
        if (silent_) return 0.f;
        return step_.slot->latency_samples ? step_.slot->dry.now(channel)[frame] : plain(channel, frame);
    }
    /// Takes the piece into the dry line of a node with latency.
    void feed(int frames) const noexcept {
        if (silent_ || step_.output_count == 0) return;
        for (int c = 0; c < step_.outputs[0].channels; ++c)
            step_.slot->dry.feed(c, frames, [&](int k) { return plain(c, k); });
        step_.slot->dry.advance(frames);
    }

private:
    bool folds() const noexcept { return step_.outputs[0].channels == 1 && step_.inputs[0].channels == 2; }
    float plain(int channel, int frame) const noexcept {
        const PortBuffer& in = step_.inputs[0];
        if (folds()) return 0.5f * (in.channel[0][offset_ + frame] + in.channel[1][offset_ + frame]);
        return in.channel[channel][offset_ + frame];
    }

    const Step& step_;
    const int offset_;
    const bool silent_;
};

/// How far the sound has come from the last good sample to the dry one, 0..1.
float quarantine_rise(const Slot& slot, std::uint64_t time) noexcept {
    const auto done = static_cast<float>(time - slot.quarantine.since + 1);
    return std::min(1.f, done / static_cast<float>(slot.ramp_samples));
}

/// One output channel of a piece in which the node is not simply heard. `bad`: first frame that quarantine
/// replaces.
void guard_channel(const Step& step, const Dry& dry, int port, int channel, std::uint64_t time, int offset,
                   int frames, int bad) noexcept {
    Slot& slot = *step.slot;
    float* out = step.outputs[port].channel[channel] + offset;
    float& held = last_good(slot, port, channel);
    if (bad > 0) held = out[bad - 1];
    const Ramp& bypass = slot.ramps[slot.param_count + Slot::bypass];
    const Ramp& mute = slot.ramps[slot.param_count + Slot::mute];
    for (int k = 0; k < frames; ++k) {
        const std::uint64_t t = time + k;
        const float aligned = port == 0 ? dry.aligned(channel, k) : 0.f;
        // Written so that at the end of the way the dry sound is heard to the bit.
        if (k >= bad) out[k] = aligned + (held - aligned) * (1.f - quarantine_rise(slot, t));
        const float b = bypass.at(t);
        if (b > 0.f) out[k] = aligned + (out[k] - aligned) * (1.f - b);
        out[k] *= 1.f - mute.at(t);
    }
}

/// Watches and corrects what a node wrote.
GAINSTAGE_NOINLINE void guard(const Step& step, Piece& piece, const Dry& dry, std::uint64_t time, int offset,
                              int frames) noexcept {
    Slot& slot = *step.slot;
    int bad = slot.quarantine.tripped ? 0 : frames;
    if (!slot.quarantine.tripped) {
        TripCause cause{};
        bad = first_bad(step, offset, frames, piece.ceiling, cause);
        if (bad < frames) {
            record_trip(slot, time + bad, piece.latch_window_samples);
            if (piece.trips && piece.trip_count < Piece::max_trips)
                (*piece.trips)[piece.trip_count] = {&slot, cause};
            ++piece.trip_count;
        }
    }
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            guard_channel(step, dry, p, c, time, offset, frames, bad);
}

bool all_within(const Step& step, int offset, int frames, std::int32_t ceiling_bits) noexcept {
    bool good = true;
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c) {
            const float* x = step.outputs[p].channel[c] + offset;
            good &= surely_within(x, frames, ceiling_bits) || each_within(x, frames, ceiling_bits);
        }
    return good;
}

void keep_last_good(const Step& step, int offset, int frames) noexcept {
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            last_good(*step.slot, p, c) = step.outputs[p].channel[c][offset + frames - 1];
}

/// Points the block at the step's wires, one store for each: where the compiler stores two pointers at once
/// and the node loads them one by one, the loads wait for the store to leave the queue (1.3 ns a node).
inline void wire(const Step& step, Block& block) noexcept {
    block.inputs = step.inputs;
    in_order();
    block.outputs = step.outputs;
    in_order();
    block.params = step.params;
    in_order();
    block.readings = step.readings;
    in_order();
}

/// Checks what a node wrote, sample by sample where need be.
GAINSTAGE_NOINLINE void look_closely(const Step& step, Piece& piece, const Block& block) noexcept {
    const bool good =
        all_within(step, block.offset, block.frames, std::bit_cast<std::int32_t>(piece.ceiling));
    if (good && block.time >= step.slot->plain_from)
        keep_last_good(step, block.offset, block.frames);
    else
        guard(step, piece, Dry(step, block.offset), block.time, block.offset, block.frames);
}

void silence(const Step& step, const Block& block) noexcept {
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            std::fill_n(step.outputs[p].channel[c] + block.offset, block.frames, 0.f);
}

/// Whatever is not the common case: delays in loops, latency, bypass, mute, quarantine, a bad sample.
GAINSTAGE_NOINLINE void run_with_guard(const Step& step, Piece& piece, Block& block) noexcept {
    if (step.is_off) return silence(step, block);
    Slot& slot = *step.slot;
    wire(step, block);
    if (step.kind == StepKind::absorb) return slot.breaker->absorb(block);
    if (step.has_latency) Dry(step, block.offset).feed(block.frames);
    if (!slot.quarantine.tripped)
        step.kind == StepKind::emit ? slot.breaker->emit(block) : step.node->process(block);
    if (!step.watched) return;
    look_closely(step, piece, block);
}

/// The common case: the node is heard, and what it writes is good.
template <bool watched>
inline void run_plain(const Step& step, Piece& piece, Block& block) noexcept {
    wire(step, block);
    step.node->process(block);
    if constexpr (!watched) return;
    const int frames = block.frames;
    const float* out = step.outputs[0].channel[0] + block.offset;
    if (!surely_within(out, frames, std::bit_cast<std::int32_t>(piece.ceiling))) [[unlikely]]
        return look_closely(step, piece, block);
    step.slot->last_good[0] = out[frames - 1];
}

void add(float* to, const float* from, int frames) noexcept {
    for (int k = 0; k < frames; ++k) to[k] += from[k];
}

void run_sum(const Step& step, int offset, int frames) noexcept {
    const PortBuffer& out = step.outputs[0];
    for (int c = 0; c < out.channels; ++c) {
        float* to = out.channel[c] + offset;
        std::copy_n(step.inputs[0].channel[c] + offset, frames, to);
        for (int s = 1; s < step.input_count; ++s) add(to, step.inputs[s].channel[c] + offset, frames);
    }
}

void run_fade(const Step& step, const Plan& plan, std::uint64_t fade_start, const Block& block) noexcept {
    const PortBuffer& out = step.outputs[0];
    const float* weight = plan.fade->data() + (block.time - fade_start);
    for (int c = 0; c < out.channels; ++c) {
        const float* old = step.inputs[0].channel[c] + block.offset;
        const float* fresh = step.inputs[1].channel[c] + block.offset;
        float* to = out.channel[c] + block.offset;
        for (int k = 0; k < block.frames; ++k) to[k] = old[k] + (fresh[k] - old[k]) * weight[k];
    }
}

class Runner {
public:
    Runner(const Plan& plan, Piece& piece) noexcept : plan_(plan), piece_(piece) {}

    int run(int first, int last) noexcept {
        const Step* const steps = plan_.steps.data();
        const int timed_begin = std::clamp(piece_.timed_begin, first, last);
        const int timed_end = std::clamp(piece_.timed_end, timed_begin, last);
        Block block = piece_of(0, piece_.frames);
        const Step* at = range(steps + first, steps + timed_begin, block);
        at = timed_range(at, steps + timed_end, block);
        return static_cast<int>(range(at, steps + last, block) - steps);
    }

private:
    Block piece_of(int offset, int frames) const noexcept {
        Block block;
        block.time = piece_.time + static_cast<std::uint64_t>(offset);
        block.frames = frames;
        block.offset = offset;
        block.device = piece_.device;
        return block;
    }

    /// Runs steps until `end` or past it (a loop is run whole); returns the next step.
    const Step* range(const Step* at, const Step* end, Block& block) noexcept {
        return plan_.watched ? steps<true>(at, end, block) : steps<false>(at, end, block);
    }

    template <bool watched>
    GAINSTAGE_NOINLINE const Step* steps(const Step* at, const Step* end, Block& block) noexcept {
        const std::uint64_t time = block.time;
        Piece& piece = piece_;
        while (at < end) {
            if (!at->is_plain || time < at->slot->plain_from) [[unlikely]] {
                at = other(at, block);
                continue;
            }
            run_plain<watched>(*at, piece, block);
            ++at;
        }
        return at;
    }

    GAINSTAGE_NOINLINE const Step* timed_range(const Step* at, const Step* end, Block& block) noexcept {
        if (at >= end) return at;
        std::uint64_t before = read_ticks();
        while (at < end) {
            const Step& step = *at;
            at = range(at, at + 1, block);
            const std::uint64_t after = read_ticks();
            if (step.node && !step.is_off) account(*step.slot, after - before);
            before = after;
        }
        return at;
    }

    void account(Slot& slot, std::uint64_t ticks) const noexcept {
        const auto relaxed = std::memory_order_relaxed;  // this thread is the only writer
        slot.timed_ticks.store(slot.timed_ticks.load(relaxed) + ticks, relaxed);
        slot.timed_frames.store(slot.timed_frames.load(relaxed) + static_cast<std::uint64_t>(piece_.frames),
                                relaxed);
        if (ticks > slot.worst_ticks.load(relaxed)) slot.worst_ticks.store(ticks, relaxed);
    }

    GAINSTAGE_NOINLINE const Step* other(const Step* at, Block& block) noexcept {
        const Step& step = *at;
        switch (step.kind) {
            case StepKind::process:
            case StepKind::emit:
            case StepKind::absorb:
                run_with_guard(step, piece_, block);
                break;
            case StepKind::sum:
                run_sum(step, block.offset, block.frames);
                break;
            case StepKind::fade:
                run_fade(step, plan_, piece_.fade_start, block);
                break;
            case StepKind::remember:
                if (!step.history->is_held())
                    step.history->write(step.inputs[0], block.offset, block.frames, block.time);
                break;
            case StepKind::recall:
                recall(step, block);
                break;
            case StepKind::loop:
                return loop(step, at + 1, block);
        }
        return at + 1;
    }

    /// A loop's steps in pieces that no delay in it is shorter than.
    const Step* loop(const Step& step, const Step* begin, const Block& whole) noexcept {
        const Step* const end = begin + step.length;
        for (int done = 0; done < whole.frames;) {
            Block block = piece_of(whole.offset + done, whole.frames - done);
            for (const Slot* delay : *step.delays)
                if (!step.is_off || !delay->is_lost)
                    block.frames = std::min(block.frames, delay->breaker->shortest_delay_samples(
                                                              delay->ramps.data(), block.time));
            block.frames = std::max(block.frames, 1);
            range(begin, end, block);
            done += block.frames;
        }
        return end;
    }

    void recall(const Step& step, const Block& block) noexcept {
        if (!step.history->read(block.time, block.frames, step.outputs[0], block.offset))
            piece_.history_lost = true;
    }

    const Plan& plan_;
    Piece& piece_;
};

}  // namespace

void run_plan(const Plan& plan, Piece& piece) noexcept {
    Runner(plan, piece).run(0, static_cast<int>(plan.steps.size()));
}

int run_steps(const Plan& plan, Piece& piece, int begin, int end) noexcept {
    return Runner(plan, piece).run(begin, end);
}

}  // namespace gainstage
