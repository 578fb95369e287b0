#include "nodes/effects/gate.hpp"

#include "nodes/dsp/decibel.hpp"
#include "nodes/dsp/key.hpp"
#include "nodes/dsp/time_constant.hpp"

namespace gainstage {

const NodeType& Gate::type() {
    static const NodeType type{
        .name = "gate",
        .summary = "Turns down what is softer than a threshold: hum, spill, noise between the notes",
        .inputs = {{.name = "in"},
                   {.name = "sidechain",
                    .width = Width::own,
                    .optional = true,
                    .summary = "Listened to instead of the input"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "threshold_db",
                    .unit = "dB",
                    .min = -90.f,
                    .max = 0.f,
                    .start = -50.f,
                    .summary = "Peak level that opens the gate"},
                   {.name = "hysteresis_db",
                    .unit = "dB",
                    .min = 0.f,
                    .max = 24.f,
                    .start = 6.f,
                    .summary = "So far below the threshold the level must fall before the gate closes"},
                   {.name = "range_db",
                    .unit = "dB",
                    .min = -90.f,
                    .max = 0.f,
                    .start = -60.f,
                    .summary = "Gain of the closed gate"},
                   {.name = "attack_ms",
                    .unit = "ms",
                    .min = 0.05f,
                    .max = 50.f,
                    .start = 1.f,
                    .summary = "To 63 % open"},
                   {.name = "hold_ms",
                    .unit = "ms",
                    .min = 0.f,
                    .max = 2000.f,
                    .start = 50.f,
                    .summary = "Stays open so long after the level has fallen"},
                   {.name = "release_ms",
                    .unit = "ms",
                    .min = 1.f,
                    .max = 2000.f,
                    .start = 100.f,
                    .summary = "For every 8.7 dB while closing"}},
        .options = {{.name = "link",
                     .kind = OptionKind::boolean,
                     .start = "true",
                     .summary = "The louder channel opens both"}},
        .readings = {{.name = "gain_reduction_db", .unit = "dB"}},
        .make = make_node<Gate>,
    };
    return type;
}

namespace {

/// The holds, then 9.2 time constants of the release. Attack and detector are shorter than the half second
/// that memory_of() returns at least.
std::int64_t gate_memory(const Setup& setup) {
    const double holds_ms = setup.start[Gate::hold_ms] + Gate::level_window_ms;
    return memory_of(setup.start[Gate::release_ms] + holds_ms / 9.2, setup.sample_rate_hz);
}

}  // namespace

Gate::Gate(const Setup& setup)
    : channels_(setup.channels),
      detectors_(detectors_of(setup.channels, setup.options.get<bool>("link"))),
      sample_rate_hz_(setup.sample_rate_hz),
      memory_samples_(gate_memory(setup)),
      door_(static_cast<std::size_t>(detectors_),
            Door{.peak = SlidingMaximum(samples_of(level_window_ms, sample_rate_hz_))}) {}

void Gate::update(const Block& block, std::uint64_t time) noexcept {
    const auto knob = [&](Param param) { return block.param(param).at(time); };
    const auto remaining = [this](float ms) { return remaining_per_sample(ms, sample_rate_hz_); };
    now_.open_above = open_above_.of(knob(threshold_db), db_to_gain);
    now_.close_below = close_below_.of(knob(threshold_db) - knob(hysteresis_db), db_to_gain);
    now_.closed_gain = closed_gain_.of(knob(range_db), db_to_gain);
    now_.hold = samples_of(knob(hold_ms), sample_rate_hz_);
    now_.attack = attack_.of(knob(attack_ms), remaining);
    now_.release = release_.of(knob(release_ms), remaining);
}

float Gate::gain_of(Door& door, float level) noexcept {
    const float peak = door.peak.tick(level);
    if (peak >= (door.open ? now_.close_below : now_.open_above)) {
        door.open = true;
        door.hold_left = now_.hold;
    } else if (door.hold_left > 0) {
        --door.hold_left;
    } else {
        door.open = false;
    }
    if (door.open) {
        const double still_closed = now_.attack * (1. - door.openness);
        door.openness = still_closed < 1e-6 ? 1. : 1. - still_closed;  // -120 dB from there: arrived
    } else {
        door.openness = door.openness < 1e-9 ? 0. : now_.release * door.openness;
    }
    return static_cast<float>(1. - (1. - now_.closed_gain) * (1. - door.openness));  // exactly 1 when open
}

void Gate::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Key key(block, channels_, detectors_);
    const bool moving = any_moving(block, param_count);
    float least_gain = 1.f;
    for (int k = 0; k < block.frames; ++k) {
        if (moving || k == 0) update(block, block.time + static_cast<std::uint64_t>(k));
        float gain = 1.f;
        for (int c = 0; c < channels_; ++c) {
            if (c < detectors_) gain = gain_of(door_[c], key.level(c, k));
            least_gain = std::min(least_gain, gain);
            block.out(0, c)[k] = block.in(0, c)[k] * gain;
        }
    }
    block.report(gain_reduction_db, 0.f - gain_to_db(least_gain));
}

}  // namespace gainstage
