#include "nodes/effects/gain.hpp"

#include <algorithm>

#include "runtime/four.hpp"

namespace gainstage {

const NodeType& Gain::type() {
    static const NodeType type{
        .name = "gain",
        .summary = "Louder or quieter by a number of decibels",
        .inputs = {{.name = "in"}},
        .outputs = {{.name = "out"}},
        .params = {{.name = "gain_db",
                    .unit = "dB",
                    .min = Fader::silent_db,
                    .max = 60.f,
                    .start = 0.f,
                    .summary = "0 leaves the level as it is; -120 is silence"}},
        .make = make_node<Gain>,
    };
    return type;
}

Gain::Gain(const Setup& setup) : channels_(setup.channels) {}

void Gain::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(gain_db);
    if (knob.moving(block.time) || !resting_.knows(knob.to) || block.frames % 16 != 0) [[unlikely]]
        return process_anyhow(block);
    scale_sixteens(block.in(0), block.out(0), block.frames, resting_.value());
    if (channels_ == 2) scale_sixteens(block.in(0, 1), block.out(0, 1), block.frames, resting_.value());
}

void Gain::process_anyhow(const Block& block) noexcept GAINSTAGE_REALTIME {
    const Ramp& knob = block.param(gain_db);
    const bool is_loud = std::max(knob.from, knob.to) > loud_db;
    if (knob.to <= loud_db) resting_.of(knob.to, Fader::factor);
    for (int c = 0; c < channels_; ++c) {
        float* out = block.out(0, c);
        fader_.scale(knob, block.time, block.in(0, c), out, block.frames);
        if (!is_loud) continue;
        for (int k = 0; k < block.frames; ++k)
            if (knob.at(block.time + static_cast<std::uint64_t>(k)) > loud_db)
                out[k] = std::clamp(out[k], -held_to, held_to);
    }
}

}  // namespace gainstage
