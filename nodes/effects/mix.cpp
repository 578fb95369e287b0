#include "nodes/effects/mix.hpp"

namespace gainstage {

namespace {

std::vector<PortSpec> inputs() {
    std::vector<PortSpec> ports{
        {.name = "dry", .width = Width::own, .optional = true, .summary = "heard at mix_percent = 0"},
        {.name = "wet", .width = Width::own, .optional = true, .summary = "heard at mix_percent = 100"}};
    for (int i = 1; i <= Mix::level_count; ++i)
        ports.push_back({.name = "in" + std::to_string(i), .width = Width::own, .optional = true});
    return ports;
}

std::vector<ParamSpec> params() {
    std::vector<ParamSpec> knobs{{.name = "mix_percent",
                                  .unit = "%",
                                  .min = 0.f,
                                  .max = 100.f,
                                  .start = 50.f,
                                  .summary = "from dry (0) to wet (100)"}};
    for (int i = 1; i <= Mix::level_count; ++i)
        knobs.push_back({.name = "level" + std::to_string(i) + "_db",
                         .unit = "dB",
                         .min = Fader::silent_db,
                         .max = 12.f,
                         .start = 0.f,
                         .summary = "of in" + std::to_string(i) + "; -120 is silence"});
    return knobs;
}

}  // namespace

const NodeType& Mix::type() {
    static const NodeType type{
        .name = "mix",
        .summary = "Blends dry and wet, adds up to eight cables, folds stereo to mono",
        .inputs = inputs(),
        .outputs = {{.name = "out", .width = Width::option}},
        .params = params(),
        .options = {{.name = "channels",
                     .kind = OptionKind::integer,
                     .start = "0",
                     .min = 0.,
                     .max = 2.,
                     .summary =
                         "of the output: 0 as wide as the widest cable, 1 folds stereo to mono, 2 stereo"}},
        .make = make_node<Mix>,
    };
    return type;
}

Mix::Mix(const Setup& setup)
    : channels_(setup.output_channels.at(0)),
      folded_(static_cast<std::size_t>(setup.max_frames)),
      folded_wet_(static_cast<std::size_t>(setup.max_frames)) {}

const float* Mix::source(const Block& block, int port, int channel,
                         std::vector<float>& folded) const noexcept {
    const int width = block.inputs[port].channels;
    if (width <= channels_) return block.in(port, width == 1 ? 0 : channel);
    const float *left = block.in(port, 0), *right = block.in(port, 1);
    for (int k = 0; k < block.frames; ++k) folded[k] = 0.5f * (left[k] + right[k]);
    return folded.data();
}

void Mix::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    for (int c = 0; c < channels_; ++c) {
        blend(block, c);
        add_levels(block, c);
    }
}

void Mix::blend(const Block& block, int channel) noexcept {
    const float* from = source(block, dry, channel, folded_);
    const float* to = source(block, wet, channel, folded_wet_);
    const Ramp& knob = block.param(mix_percent);
    float* out = block.out(0, channel);
    if (knob.moving(block.time)) {
        for (int k = 0; k < block.frames; ++k) {
            const float m = knob.at(block.time + k) * 0.01f;
            out[k] = (1.f - m) * from[k] + m * to[k];
        }
    } else {
        const float m = knob.to * 0.01f;
        for (int k = 0; k < block.frames; ++k) out[k] = (1.f - m) * from[k] + m * to[k];
    }
}

void Mix::add_levels(const Block& block, int channel) noexcept {
    for (int i = 0; i < level_count; ++i) {
        if (!block.connected(first_in + i)) continue;
        const float* in = source(block, first_in + i, channel, folded_);
        levels_[i].add(block.param(first_level_db + i), block.time, in, block.out(0, channel), block.frames);
    }
}

}  // namespace gainstage
