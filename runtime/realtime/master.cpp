#include "runtime/realtime/master.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "runtime/realtime/samples.hpp"

namespace gainstage {

namespace {

constexpr float softest_db = -60.f, loudest_db = 0.f, usual_ms = 20.f;

float amplitude_of(float db) noexcept {
    constexpr float per_db = 0.11512925464970228f;  // ln(10) / 20
    return std::exp(db * per_db);
}

}  // namespace

std::span<const ParamSpec> master_specs() {
    static const std::array<ParamSpec, master_knob_count> specs{
        ParamSpec{.name = "gain_db",
                  .unit = "dB",
                  .min = softest_db,
                  .max = loudest_db,
                  .start = 0.f,
                  .summary = "level of all outputs, after their guards",
                  .smooth_ms = usual_ms},
        ParamSpec{.name = "mute",
                  .max = 1.f,
                  .summary = "1: all outputs are silent",
                  .smooth_ms = usual_ms,
                  .steps = 2},
        ParamSpec{.name = "bypass",
                  .max = 1.f,
                  .summary = "1: the inputs go straight to the outputs, as late as the patch is",
                  .smooth_ms = usual_ms,
                  .steps = 2},
    };
    return specs;
}

std::optional<MasterKnob> master_knob_of(std::string_view address) {
    if (!is_of_master(address)) return std::nullopt;
    address.remove_prefix(address.find('.') + 1);
    for (int k = 0; k < master_knob_count; ++k)
        if (master_specs()[k].name == address) return static_cast<MasterKnob>(k);
    return std::nullopt;
}

std::uint32_t Master::samples(float ms) const noexcept GAINSTAGE_REALTIME {
    return samples_of(ms, sample_rate_hz_);
}

void Master::start(float ramp_ms) {
    level_ =
        ramp_ms > 0.f ? Ramp{.start = 0, .length = samples(ramp_ms), .from = 0.f, .to = 1.f} : settled(1.f);
}

void Master::turn(MasterKnob knob, float value, float ms, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const bool is_gain = knob == MasterKnob::gain_db;
    Ramp& ramp = is_gain ? gain_db_ : knob == MasterKnob::mute ? mute_ : bypass_;
    const float to = is_gain ? std::clamp(value, softest_db, loudest_db) : value >= 0.5f ? 1.f : 0.f;
    ramp = {.start = now, .length = samples(ms >= 0.f ? ms : usual_ms), .from = ramp.at(now), .to = to};
    std::atomic<float>& told = is_gain ? gain_to_ : knob == MasterKnob::mute ? mute_to_ : bypass_to_;
    told.store(to, std::memory_order_relaxed);
}

void Master::follow(const StraightRoute& route, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    straight_.follow(route, bypass_.moving(now) || bypass_.to > 0.f, now);
}

std::uint64_t Master::panic(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (fading_out_ || level_.to == 0.f) return never;
    level_ = {.start = now, .length = samples(panic_down_ms), .from = level_.at(now), .to = 0.f};
    return now + level_.length;
}

void Master::come_back(std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!fading_out_) level_ = {.start = now, .length = samples(panic_up_ms), .from = 0.f, .to = 1.f};
}

void Master::fade_out(std::uint64_t now, float ms) noexcept GAINSTAGE_REALTIME {
    fading_out_ = true;
    level_ = {.start = now, .length = std::max(1u, samples(ms)), .from = level_.at(now), .to = 0.f};
}

std::uint64_t Master::next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME {
    const std::uint64_t fade = straight_.next_cut(now);
    return fading_out_ && level_.moving(now) ? std::min(fade, level_.start + level_.length) : fade;
}

bool Master::play(const DeviceBlock& device, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    straight_.remember(device, frames, now);
    straight_.play(device, bypass_, frames, now);
    turn_down(device, frames, now);
    silence(device, frames, now);
    return level(device, frames, now);
}

/// Straight in decibels while it moves.
void Master::turn_down(const DeviceBlock& device, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const bool moves = gain_db_.moving(now);
    if (!moves && gain_db_.to == 0.f) return;
    const float settled_at = amplitude_of(gain_db_.to);
    for (int k = 0; k < frames; ++k) {
        const std::uint64_t time = now + static_cast<std::uint64_t>(k);
        const float gain = gain_db_.moving(time) ? amplitude_of(gain_db_.at(time)) : settled_at;
        for (int c = 0; c < device.out_channels; ++c) device.out[c][device.offset + k] *= gain;
    }
}

/// What is no number is silent, too.
void Master::silence(const DeviceBlock& device, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!mute_.moving(now) && mute_.to == 0.f) return;
    for (int c = 0; c < device.out_channels; ++c) {
        float* out = device.out[c] + device.offset;
        for (int k = 0; k < frames; ++k) {
            const float left = 1.f - mute_.at(now + static_cast<std::uint64_t>(k));
            out[k] = left > 0.f ? out[k] * left : 0.f;
        }
    }
}

bool Master::level(const DeviceBlock& device, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!level_.moving(now) && level_.to == 1.f) return false;
    for (int c = 0; c < device.out_channels; ++c) {
        float* out = device.out[c] + device.offset;
        for (int k = 0; k < frames; ++k) out[k] *= level_.at(now + static_cast<std::uint64_t>(k));
    }
    const std::uint64_t end = now + static_cast<std::uint64_t>(frames);
    if (!fading_out_ || !level_.moving(now) || level_.moving(end)) return false;
    silent_at_.store(end, std::memory_order_release);
    return true;
}

}  // namespace gainstage
