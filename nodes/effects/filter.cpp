#include "nodes/effects/filter.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nodes/dsp/time_constant.hpp"

namespace gainstage {

const NodeType& Filter::type() {
    static const NodeType type{
        .name = "filter",
        .summary = "Two-pole filter whose cutoff may be swept: low, high and band pass, notch, shelves, bell",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "cutoff_hz",
                    .unit = "Hz",
                    .min = 10.f,
                    .max = 20'000.f,
                    .start = 1'000.f,
                    .summary = "Corner or centre; travels on a logarithmic scale"},
                   {.name = "q",
                    .unit = "",
                    .min = 0.1f,
                    .max = 20.f,
                    .start = 0.7071f,
                    .summary =
                        "0.7071 is flat; more rings at the cutoff, or makes band, notch and bell narrower"},
                   {.name = "gain_db",
                    .unit = "dB",
                    .min = -24.f,
                    .max = 24.f,
                    .start = 0.f,
                    .summary = "Of the shelf or the bell; in the other modes, of all that passes"}},
        .options = {{.name = "mode",
                     .kind = OptionKind::choice,
                     .start = "lowpass",
                     .choices = {"lowpass", "highpass", "bandpass", "notch", "lowshelf", "highshelf", "bell"},
                     .summary = "What passes; bandpass has 0 dB at its centre"}},
        .make = make_node<Filter>,
    };
    return type;
}

namespace {

SvfMode mode_of(const Options& options) {
    const auto& choices = Filter::type().options[0].choices;
    const auto chosen = std::find(choices.begin(), choices.end(), options.get<std::string>("mode"));
    return static_cast<SvfMode>(chosen - choices.begin());
}

/// An upper bound. The slowest pole rings when q > 0.5; shelves and bells move it by their gain.
double time_constant_ms(const std::vector<float>& start) {
    const double q = start[Filter::q], moved = std::pow(10., std::abs(start[Filter::gain_db]) / 40.);
    return 1000. / (2. * std::numbers::pi * start[Filter::cutoff_hz]) * std::max(2. * q, 1. / q) * moved;
}

}  // namespace

Filter::Filter(const Setup& setup)
    : mode_(mode_of(setup.options)),
      channels_(setup.channels),
      sample_rate_hz_(setup.sample_rate_hz),
      memory_samples_(memory_of(time_constant_ms(setup.start), sample_rate_hz_)) {}

void Filter::update(float cutoff, float resonance, float gain) noexcept {
    const std::array<float, 3> knobs{cutoff, resonance, gain};
    if (knobs == knobs_) return;
    knobs_ = knobs;
    coefficients_ = svf_coefficients(mode_, cutoff, resonance, gain, sample_rate_hz_);
}

void Filter::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    state_.cutoff.follow(block.param(cutoff_hz));
    state_.resonance.follow(block.param(q));
    const bool moving = any_moving(block, param_count);
    for (int k = 0; k < block.frames; ++k) {
        const std::uint64_t time = block.time + static_cast<std::uint64_t>(k);
        if (moving || k == 0)
            update(state_.cutoff.at(time), state_.resonance.at(time), block.param(gain_db).at(time));
        for (int c = 0; c < channels_; ++c)
            block.out(0, c)[k] = static_cast<float>(state_.svf[c].tick(coefficients_, block.in(0, c)[k]));
    }
}

}  // namespace gainstage
