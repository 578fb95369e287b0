#include "nodes/effects/pan.hpp"

#include <cmath>
#include <numbers>

namespace gainstage {

namespace {
constexpr float quarter_pi = std::numbers::pi_v<float> / 4.f;
}

const NodeType& Pan::type() {
    static const NodeType type{
        .name = "pan",
        .summary = "Puts a mono sound between left and right; balance for stereo",
        .inputs = {{.name = "in", .width = Width::own}},
        .outputs = {{.name = "out", .width = Width::stereo}},
        .params = {{.name = "position",
                    .unit = "",
                    .min = -1.f,
                    .max = 1.f,
                    .start = 0.f,
                    .summary = "-1 is left, 0 the middle, 1 right"}},
        .make = make_node<Pan>,
    };
    return type;
}

// The sine of the rest of the way: exactly 0 at its end.
float pan_factor(float position, float side) noexcept GAINSTAGE_REALTIME {
    return std::sin(quarter_pi * (1.f + side * position));
}

float balance_factor(float position, float side) noexcept GAINSTAGE_REALTIME {
    const float away = -side * position;
    return away <= 0.f ? 1.f : std::sin(2.f * quarter_pi * (1.f - away));
}

Pan::Pan(const Setup& setup) : stereo_(setup.input_channels.at(0) == 2) {}

void Pan::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(position);
    const auto factor = stereo_ ? balance_factor : pan_factor;
    for (int c = 0; c < 2; ++c) {
        const float side = c == 0 ? -1.f : 1.f;
        const float* in = block.in(0, stereo_ ? c : 0);
        float* out = block.out(0, c);
        if (knob.moving(block.time)) {
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * factor(knob.at(block.time + k), side);
        } else {
            const float f = factor(knob.to, side);
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * f;
        }
    }
}

}  // namespace gainstage
