#include "nodes/gain.hpp"

#include "nodes/kernels/decibel.hpp"

namespace gainstage {

const NodeType& Gain::type() {
    static const NodeType type{
        .name = "gain",
        .summary = "Louder or quieter by a number of decibels",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "gain_db",
                    .unit = "dB",
                    .min = silent_db,
                    .max = 60.f,
                    .start = 0.f,
                    .summary = "0 leaves the level as it is; -120 is silence"}},
        .make = make_node<Gain>,
    };
    return type;
}

namespace {
float factor_of(float db) noexcept {
    return db <= Gain::silent_db ? 0.f : db_to_gain(db);
}
}  // namespace

Gain::Gain(const Setup& setup) : channels_(setup.channels) {}

void Gain::process(const Block& block) noexcept {
    const Ramp& knob = block.param(gain_db);
    const bool moving = knob.moving(block.time);
    if (!moving && knob.to != resting_db_) {
        resting_db_ = knob.to;
        factor_ = factor_of(knob.to);
    }
    for (int c = 0; c < channels_; ++c) {
        const float* in = block.in(0, c);
        float* out = block.out(0, c);
        if (moving)
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * factor_of(knob.at(block.time + k));
        else
            for (int k = 0; k < block.frames; ++k) out[k] = in[k] * factor_;
    }
}

}  // namespace gainstage
