#include "nodes/effects/input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nodes/dsp/door_channels.hpp"

namespace gainstage {

const NodeType& Input::type() {
    static const NodeType type{
        .name = "input",
        .summary = "Sound from the interface, or from the file being rendered",
        .outputs = {{.name = "out", .width = Width::option}},
        .options = {door_channels_spec("device channels, counted from 1: one is mono, two are stereo")},
        .device = Door::in,
        .make = make_node<Input>,
    };
    return type;
}

namespace {
float finite_or_zero(float x) noexcept GAINSTAGE_REALTIME {
    return std::abs(x) <= std::numeric_limits<float>::max() ? x : 0.f;
}
}  // namespace

Input::Input(const Setup& setup) : channels_(door_channels(setup.options)) {}

void Input::process(const Block& block) noexcept GAINSTAGE_REALTIME {
    const DeviceBlock* device = block.device;
    for (std::size_t c = 0; c < channels_.size(); ++c) {
        float* out = block.out(0, static_cast<int>(c));
        const int channel = channels_[c] - 1;
        if (device == nullptr || channel >= device->in_channels) {
            std::fill_n(out, block.frames, 0.f);
        } else {
            const float* in = device->in[channel] + device->offset + block.offset;
            std::transform(in, in + block.frames, out, finite_or_zero);
        }
    }
}

}  // namespace gainstage
