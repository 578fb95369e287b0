#include <algorithm>
#include <bit>

#include "runtime/realtime/dry.hpp"
#include "runtime/realtime/guard.hpp"

namespace gainstage {

namespace {

/// Points the block at the step's wires with one store each. Where the compiler stores two pointers at once
/// and the node loads them one by one, the loads wait until the store has left the queue (1.3 ns a node).
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

void silence(const Step& step, const Block& block) noexcept {
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            std::fill_n(step.outputs[p].channel[c] + block.offset, block.frames, 0.f);
}

/// All but the common case: delays in loops, latency, bypass, mute, quarantine, a bad sample.
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
    if (!surely_within(out, frames, step.ceiling_bits)) [[unlikely]]
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
        // This thread is the only writer.
        constexpr auto order = std::memory_order_relaxed;
        slot.timed_ticks.store(slot.timed_ticks.load(order) + ticks, order);
        slot.timed_frames.store(slot.timed_frames.load(order) + static_cast<std::uint64_t>(piece_.frames),
                                order);
        slot.usual_ticks.add(static_cast<float>(ticks) / static_cast<float>(piece_.frames));
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

    /// Runs a loop's steps in pieces no longer than its shortest delay.
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

void run_plan(const Plan& plan, Piece& piece) noexcept GAINSTAGE_REALTIME {
    Runner(plan, piece).run(0, static_cast<int>(plan.steps.size()));
}

int run_steps(const Plan& plan, Piece& piece, int begin, int end) noexcept GAINSTAGE_REALTIME {
    return Runner(plan, piece).run(begin, end);
}

}  // namespace gainstage
