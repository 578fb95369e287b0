#include "runtime/realtime/guard.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/each_within.hpp"
#include "runtime/realtime/dry.hpp"

namespace gainstage {

namespace {

/// First frame with a bad sample in any channel of any output; `frames` where there is none.
int first_bad(const Step& step, int offset, int frames, TripCause& cause) noexcept {
    const auto ceiling = std::bit_cast<float>(step.ceiling_bits);
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

float& last_good(Slot& slot, int port, int channel) noexcept {
    return slot.last_good[port * max_channels + channel];
}

/// How far the sound has come from the last good sample to the dry one, 0..1.
float quarantine_rise(const Slot& slot, std::uint64_t time) noexcept {
    const auto done = static_cast<float>(time - slot.quarantine.since + 1);
    return std::min(1.f, done / static_cast<float>(slot.ramp_samples));
}

/// Writes one output channel where bypass, mute or quarantine is at work. `bad`: the first frame that
/// quarantine replaces.
void guard_channel(const Step& step, const Dry& dry, int port, int channel, std::uint64_t time, int offset,
                   int frames, int bad) noexcept {
    Slot& slot = *step.slot;
    float* out = step.outputs[port].channel[channel] + offset;
    float& held = last_good(slot, port, channel);
    if (bad > 0) held = out[bad - 1];
    const Ramp& bypass = slot.ramps[slot.param_of(Slot::bypass)];
    const Ramp& mute = slot.ramps[slot.param_of(Slot::mute)];
    for (int k = 0; k < frames; ++k) {
        const std::uint64_t t = time + k;
        const float aligned = port == 0 ? dry.aligned(channel, k) : 0.f;
        // In this form the end of the ramp is the dry sound to the bit.
        if (k >= bad) out[k] = aligned + (held - aligned) * (1.f - quarantine_rise(slot, t));
        const float b = bypass.at(t);
        if (b > 0.f) out[k] = aligned + (out[k] - aligned) * (1.f - b);
        out[k] *= 1.f - mute.at(t);
    }
}

/// Watches a node's output and corrects it.
GAINSTAGE_NOINLINE void guard(const Step& step, Piece& piece, const Dry& dry, std::uint64_t time, int offset,
                              int frames) noexcept {
    Slot& slot = *step.slot;
    int bad = slot.quarantine.tripped ? 0 : frames;
    if (!slot.quarantine.tripped) {
        TripCause cause{};
        bad = first_bad(step, offset, frames, cause);
        if (bad < frames) {
            slot.trip(time + bad, cause, std::bit_cast<float>(step.ceiling_bits), piece.latch_window_samples);
            ++piece.trip_count;
        }
    }
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            guard_channel(step, dry, p, c, time, offset, frames, bad);
}

bool all_within(const Step& step, int offset, int frames) noexcept {
    bool good = true;
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c) {
            const float* x = step.outputs[p].channel[c] + offset;
            good &= surely_within(x, frames, step.ceiling_bits) || each_within(x, frames, step.ceiling_bits);
        }
    return good;
}

void keep_last_good(const Step& step, int offset, int frames) noexcept {
    for (int p = 0; p < step.output_count; ++p)
        for (int c = 0; c < step.outputs[p].channels; ++c)
            last_good(*step.slot, p, c) = step.outputs[p].channel[c][offset + frames - 1];
}

}  // namespace

GAINSTAGE_NOINLINE void look_closely(const Step& step, Piece& piece,
                                     const Block& block) noexcept GAINSTAGE_REALTIME {
    const bool good = all_within(step, block.offset, block.frames);
    if (good && block.time >= step.slot->plain_from)
        keep_last_good(step, block.offset, block.frames);
    else
        guard(step, piece, Dry(step, block.offset), block.time, block.offset, block.frames);
}

}  // namespace gainstage
