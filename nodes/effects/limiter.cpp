#include "nodes/effects/limiter.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/dsp/decibel.hpp"
#include "nodes/dsp/key.hpp"
#include "nodes/dsp/time_constant.hpp"

namespace gainstage {

const NodeType& Limiter::type() {
    static const NodeType type{
        .name = "limiter",
        .summary = "Nothing leaves it above the ceiling, between the samples too; looks ahead, passes no NaN",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "ceiling_dbfs",
                    .unit = "dBFS",
                    .min = -40.f,
                    .max = 0.f,
                    .start = -1.f,
                    .summary = "Highest peak that leaves"},
                   {.name = "release_ms",
                    .unit = "ms",
                    .min = 1.f,
                    .max = 2000.f,
                    .start = 80.f,
                    .summary = "To 63 % of the way back up"}},
        .options = {{.name = "lookahead_ms",
                     .kind = OptionKind::number,
                     .start = "1.5",
                     .min = 0.1,
                     .max = 20.,
                     .summary = "Delay in which the gain glides down before a peak; longer is smoother"},
                    {.name = "true_peak",
                     .kind = OptionKind::boolean,
                     .start = "true",
                     .summary = "Counts peaks between the samples, at 13 samples more delay"},
                    {.name = "link",
                     .kind = OptionKind::boolean,
                     .start = "true",
                     .summary = "The louder channel turns both down, so that the stereo image stays put"}},
        .readings = {{.name = "gain_reduction_db", .unit = "dB"}},
        .make = make_node<Limiter>,
    };
    return type;
}

namespace {

/// A peak between two samples turns both of them down; the bend of the gain itself shifts it by less than one
/// more.
constexpr int true_peak_margin = 1;

/// The largest float that is not above the ceiling.
float ceiling_of(float dbfs) noexcept GAINSTAGE_REALTIME {
    const double exact = std::pow(10., dbfs / 20.);
    const auto nearest = static_cast<float>(exact);
    return nearest > exact ? std::nextafter(nearest, 0.f) : nearest;
}

/// Silence for NaN and infinities. Everything else is held to +180 dBFS, which is safe to calculate with.
float made_safe(float x) noexcept GAINSTAGE_REALTIME {
    return std::isfinite(x) ? std::clamp(x, -1e9f, 1e9f) : 0.f;
}

}  // namespace

Limiter::Limiter(const Setup& setup)
    : channels_(setup.channels),
      detectors_(detectors_of(setup.channels, setup.options.get<bool>("link"))),
      sample_rate_hz_(setup.sample_rate_hz),
      true_peak_(setup.options.get<bool>("true_peak")),
      lookahead_(std::max(1, samples_of(setup.options.get<double>("lookahead_ms"), sample_rate_hz_))),
      latency_(lookahead_ + (true_peak_ ? TruePeak::delay_samples + true_peak_margin : 0)),
      memory_samples_(memory_of(setup.start[release_ms], sample_rate_hz_)),
      gain_(static_cast<std::size_t>(detectors_),
            LookaheadGain(lookahead_, true_peak_ ? true_peak_margin : 0)) {
    for (int c = 0; c < channels_; ++c) delay_[c].resize(static_cast<std::size_t>(latency_));
}

void Limiter::update(const Block& block, std::uint64_t time) noexcept {
    const Ramp& knob = block.param(ceiling_dbfs);
    ceiling_ = ceiling_of_.of(knob.at(time), ceiling_of);
    const float coming_dbfs = knob.at(time + static_cast<std::uint64_t>(latency_));
    coming_ceiling_ = std::min(ceiling_, coming_ceiling_of_.of(coming_dbfs, ceiling_of));
    release_ = release_of_.of(block.param(release_ms).at(time),
                              [this](float ms) { return remaining_per_sample(ms, sample_rate_hz_); });
}

void Limiter::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    least_gain_ = 1.f;
    for (int first = 0; first < block.frames; first += piece_frames) {
        const int frames = std::min(piece_frames, block.frames - first);
        take(block, first, frames);
        give(block, first, frames);
    }
    block.report(gain_reduction_db, 0.f - gain_to_db(least_gain_));
}

/// Reads a piece of the input and finds its peaks.
void Limiter::take(const Block& block, int first, int frames) noexcept {
    for (int c = 0; c < channels_; ++c) {
        std::transform(block.in(0, c) + first, block.in(0, c) + first + frames, sound_[c].begin(), made_safe);
        if (true_peak_)
            detector_[c].run(sound_[c].data(), frames, peaks_[c].data());
        else
            std::transform(sound_[c].begin(), sound_[c].begin() + frames, peaks_[c].begin(),
                           [](float x) { return std::abs(x); });
    }
    if (detectors_ == 1 && channels_ == 2)
        for (int k = 0; k < frames; ++k) peaks_[0][k] = std::max(peaks_[0][k], peaks_[1][k]);
}

/// Plays the input of latency_ samples ago, turned down.
void Limiter::give(const Block& block, int first, int frames) noexcept {
    const bool moving = any_moving(block, param_count);
    for (int k = 0; k < frames; ++k) {
        if (moving || k == 0) update(block, block.time + static_cast<std::uint64_t>(first + k));
        float gain = 1.f;
        for (int c = 0; c < channels_; ++c) {
            if (c < detectors_)
                gain = static_cast<float>(gain_[c].tick(peaks_[c][k], coming_ceiling_, release_));
            least_gain_ = std::min(least_gain_, gain);
            float& slot = delay_[c][delay_now_];
            block.out(0, c)[first + k] = std::clamp(slot * gain, -ceiling_, ceiling_);
            slot = sound_[c][k];
        }
        if (++delay_now_ == latency_) delay_now_ = 0;
    }
}

}  // namespace gainstage
