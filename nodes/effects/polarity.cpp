#include "nodes/effects/polarity.hpp"

#include <cmath>

namespace gainstage {

const NodeType& Polarity::type() {
    static const NodeType type{
        .name = "polarity",
        .summary = "Turns a sound upside down",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "invert",
                    .unit = "",
                    .min = 0.f,
                    .max = 1.f,
                    .start = 1.f,
                    .summary = "1 inverts, 0 leaves as it is; turns over in 5 ms",
                    .steps = 2}},
        .make = make_node<Polarity>,
    };
    return type;
}

Polarity::Polarity(const Setup& setup)
    : channels_(setup.channels),
      turn_samples_(static_cast<std::uint32_t>(std::lround(turn_s * setup.sample_rate_hz))) {}

void Polarity::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(invert);
    const float sign = knob.to >= 0.5f ? -1.f : 1.f;
    if (!heard_)
        sign_ = settled(sign);
    else if (sign != sign_.to)
        sign_ = {.start = block.time, .length = turn_samples_, .from = sign_.at(block.time), .to = sign};
    heard_ = true;
    for (int c = 0; c < channels_; ++c) {
        const float* in = block.in(0, c);
        float* out = block.out(0, c);
        if (sign_.moving(block.time))
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * sign_.at(block.time + k);
        else
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * sign;
    }
}

}  // namespace gainstage
