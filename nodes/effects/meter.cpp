#include "nodes/effects/meter.hpp"

#include <algorithm>
#include <cmath>

#include "nodes/dsp/decibel.hpp"

namespace gainstage {

const NodeType& Meter::type() {
    static const NodeType type{
        .name = "meter",
        .summary = "Shows peak, RMS, and the gain reduction between two points; changes nothing",
        .inputs = {{.name = "in"},
                   {.name = "reference",
                    .width = Width::own,
                    .optional = true,
                    .summary = "the sound before what is to be judged"}},
        .outputs = {{.name = "out"}},
        .readings = {{"peak_dbfs", "dBFS"}, {"rms_dbfs", "dBFS"}, {"gain_reduction_db", "dB"}},
        .make = make_node<Meter>,
    };
    return type;
}

Meter::Meter(const Setup& setup)
    : channels_(setup.channels),
      fall_(std::pow(10., -fall_db_per_s / 20. / setup.sample_rate_hz)),
      weight_(-std::expm1(-1. / (window_s * setup.sample_rate_hz))) {}

namespace {

/// Mean square over a port's channels at one frame.
double power_at(const Block& block, int port, int channels, int k) noexcept {
    double sum = 0.;
    for (int c = 0; c < channels; ++c) sum += double{block.in(port, c)[k]} * block.in(port, c)[k];
    return sum / channels;
}

float dbfs(double power) noexcept {
    return gain_to_db(static_cast<float>(std::sqrt(power)));
}

}  // namespace

void Meter::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    Levels l = levels_;
    for (int k = 0; k < block.frames; ++k) {
        l.peak *= fall_;
        for (int c = 0; c < channels_; ++c) l.peak = std::max(l.peak, std::abs(double{block.in(in, c)[k]}));
        l.power += (power_at(block, in, channels_, k) - l.power) * weight_;
    }
    if (block.connected(reference))
        for (int k = 0; k < block.frames; ++k)
            l.reference_power +=
                (power_at(block, reference, block.inputs[reference].channels, k) - l.reference_power) *
                weight_;
    levels_ = l;
    for (int c = 0; c < channels_; ++c) std::copy_n(block.in(in, c), block.frames, block.out(0, c));
    report(block);
}

void Meter::report(const Block& block) const noexcept {
    const float level = dbfs(levels_.power), before = dbfs(levels_.reference_power);
    block.report(peak_dbfs, gain_to_db(static_cast<float>(levels_.peak)));
    block.report(rms_dbfs, level);
    block.report(gain_reduction_db, std::min(level, before) > near_silence_dbfs ? before - level : 0.f);
}

}  // namespace gainstage
