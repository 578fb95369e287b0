#include "nodes/effects/compressor.hpp"

#include "nodes/dsp/decibel.hpp"
#include "nodes/dsp/key.hpp"
#include "nodes/dsp/time_constant.hpp"

namespace gainstage {

const NodeType& Compressor::type() {
    static const NodeType type{
        .name = "compressor",
        .summary = "Classic digital compressor: feed-forward, hard or soft knee, sidechain, parallel mix",
        .inputs = {{.name = "in"},
                   {.name = "sidechain",
                    .width = Width::own,
                    .optional = true,
                    .summary = "Listened to instead of the input"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "threshold_db",
                    .unit = "dB",
                    .min = -60.f,
                    .max = 0.f,
                    .start = -20.f,
                    .summary = "Peak level above which the sound is turned down"},
                   {.name = "ratio",
                    .unit = ":1",
                    .min = 1.f,
                    .max = 100.f,
                    .start = 4.f,
                    .summary = "dB at the input for one dB more at the output, above the threshold"},
                   {.name = "knee_db",
                    .unit = "dB",
                    .min = 0.f,
                    .max = 24.f,
                    .start = 6.f,
                    .summary = "Width of the bend around the threshold; 0 is a corner"},
                   {.name = "attack_ms",
                    .unit = "ms",
                    .min = 0.05f,
                    .max = 500.f,
                    .start = 10.f,
                    .summary = "To 63 % of a rise in reduction"},
                   {.name = "release_ms",
                    .unit = "ms",
                    .min = 1.f,
                    .max = 5000.f,
                    .start = 100.f,
                    .summary = "To 63 % of a fall in reduction"},
                   {.name = "makeup_db",
                    .unit = "dB",
                    .min = -24.f,
                    .max = 24.f,
                    .start = 0.f,
                    .summary = "Gain of the compressed sound"},
                   {.name = "mix_percent",
                    .unit = "%",
                    .min = 0.f,
                    .max = 100.f,
                    .start = 100.f,
                    .summary = "Share of the compressed sound; below 100 is parallel compression"}},
        .options = {{.name = "link",
                     .kind = OptionKind::boolean,
                     .start = "true",
                     .summary = "The louder channel turns both down, so that the stereo image stays put"},
                    {.name = "detector",
                     .kind = OptionKind::choice,
                     .start = "smooth_decoupled",
                     .choices = {"smooth_decoupled", "smooth_branching"},
                     .summary = "decoupled: peaks are held for the release; branching: follows every dip"}},
        .readings = {{.name = "gain_reduction_db", .unit = "dB"}},
        .make = make_node<Compressor>,
    };
    return type;
}

Compressor::Compressor(const Setup& setup)
    : channels_(setup.channels),
      detectors_(detectors_of(setup.channels, setup.options.get<bool>("link"))),
      kind_(setup.options.get<std::string>("detector") == "smooth_branching" ? DetectorKind::branching
                                                                             : DetectorKind::decoupled),
      sample_rate_hz_(setup.sample_rate_hz),
      memory_samples_(memory_of(setup.start[attack_ms] + setup.start[release_ms], setup.sample_rate_hz)) {}

void Compressor::update(const Block& block, std::uint64_t time) noexcept {
    const auto knob = [&](Param param) { return block.param(param).at(time); };
    const auto remaining = [this](float ms) { return remaining_per_sample(ms, sample_rate_hz_); };
    curve_ = {.threshold_db = knob(threshold_db), .slope = 1.f - 1.f / knob(ratio), .knee_db = knob(knee_db)};
    attack_remaining_ = attack_.of(knob(attack_ms), remaining);
    release_remaining_ = release_.of(knob(release_ms), remaining);
    makeup_db_ = knob(makeup_db);
    mix_ = 0.01f * knob(mix_percent);
}

void Compressor::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Key key(block, channels_, detectors_);
    const bool moving = any_moving(block, param_count);
    double most_reduction_db = 0.;
    for (int k = 0; k < block.frames; ++k) {
        if (moving || k == 0) update(block, block.time + static_cast<std::uint64_t>(k));
        float factor = 1.f;
        for (int c = 0; c < channels_; ++c) {
            if (c < detectors_) {
                const float wanted_db = curve_.reduction_db(gain_to_db(key.level(c, k)));
                const double reduction_db =
                    detector_[c].tick(kind_, wanted_db, attack_remaining_, release_remaining_);
                most_reduction_db = std::max(most_reduction_db, reduction_db);
                // in this form the factor is exactly 1 without reduction, at any mix
                factor = 1.f + mix_ * (db_to_gain(makeup_db_ - static_cast<float>(reduction_db)) - 1.f);
            }
            block.out(0, c)[k] = block.in(0, c)[k] * factor;
        }
    }
    block.report(gain_reduction_db, static_cast<float>(most_reduction_db));
}

}  // namespace gainstage
