#include "nodes/effects/crossfade.hpp"

#include <cmath>
#include <numbers>

namespace gainstage {

const NodeType& Crossfade::type() {
    static const NodeType type{
        .name = "crossfade",
        .summary = "One knob from one sound to another",
        .inputs = {{.name = "a"}, {.name = "b"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "position",
                    .unit = "",
                    .min = 0.f,
                    .max = 1.f,
                    .start = 0.f,
                    .summary = "0 is a, 1 is b"}},
        .options = {{.name = "law",
                     .kind = OptionKind::choice,
                     .start = "equal_power",
                     .choices = {"linear", "equal_power"},
                     .summary = "linear for sounds that are alike, equal_power for others"}},
        .make = make_node<Crossfade>,
    };
    return type;
}

Crossfade::Crossfade(const Setup& setup)
    : channels_(setup.channels), equal_power_(setup.options.get<std::string>("law") == "equal_power") {}

float Crossfade::factor(float amount) const noexcept {
    return equal_power_ ? std::sin(std::numbers::pi_v<float> / 2.f * amount) : amount;
}

void Crossfade::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(position);
    const bool moving = knob.moving(block.time);
    float at_a = factor(1.f - knob.to), at_b = factor(knob.to);
    for (int c = 0; c < channels_; ++c) {
        const float *from = block.in(a, c), *to = block.in(b, c);
        float* out = block.out(0, c);
        for (int k = 0; k < block.frames; ++k) {
            if (moving) {
                const float p = knob.at(block.time + k);
                at_a = factor(1.f - p);
                at_b = factor(p);
            }
            out[k] = from[k] * at_a + to[k] * at_b;
        }
    }
}

}  // namespace gainstage
