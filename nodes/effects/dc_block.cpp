#include "nodes/effects/dc_block.hpp"

#include <cmath>
#include <numbers>

#include "nodes/dsp/time_constant.hpp"

namespace gainstage {

const NodeType& DcBlock::type() {
    static const NodeType type{
        .name = "dc_block",
        .summary = "Takes out constant offset and what is slower than hearing",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "cutoff_hz",
                    .unit = "Hz",
                    .min = lowest_hz,
                    .max = 100.f,
                    .start = 10.f,
                    .summary = "3 dB down here, 6 dB per octave below"}},
        .takes_out_offset = true,
        .make = make_node<DcBlock>,
    };
    return type;
}

DcBlock::DcBlock(const Setup& setup) : channels_(setup.channels), sample_rate_hz_(setup.sample_rate_hz) {}

std::int64_t DcBlock::memory_samples() const noexcept {
    return memory_of(1000. / (2. * std::numbers::pi * double{lowest_hz}), sample_rate_hz_);
}

/// g / (1 + g), g = tan(pi f / rate)
double DcBlock::step_of(float hz) const noexcept {
    const double g = std::tan(std::numbers::pi * double{hz} / sample_rate_hz_);
    return g / (1. + g);
}

void DcBlock::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(cutoff_hz);
    const auto map = [this](float hz) { return step_of(hz); };
    for (int c = 0; c < channels_; ++c) {
        const float* in = block.in(0, c);
        float* out = block.out(0, c);
        double low = low_[c];
        for (int k = 0; k < block.frames; ++k) {
            const double step = step_.of(knob.at(block.time + k), map);
            const double half = (double{in[k]} - low) * step;
            out[k] = static_cast<float>(double{in[k]} - (low + half));
            low += 2. * half;
        }
        low_[c] = low;
    }
}

}  // namespace gainstage
