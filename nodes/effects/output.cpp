#include "nodes/effects/output.hpp"

#include "nodes/dsp/door_channels.hpp"

namespace gainstage {

const NodeType& Output::type() {
    static const NodeType type{
        .name = "output",
        .summary = "Sound to the interface, or to the file being rendered",
        .inputs = {{.name = "in", .width = Width::option}},
        .options = {door_channels_spec("device channels, counted from 1; mono into two feeds both")},
        .device = Door::out,
        .make = make_node<Output>,
    };
    return type;
}

Output::Output(const Setup& setup) : channels_(door_channels(setup.options)) {}

void Output::process(const Block& block) noexcept {
    const DeviceBlock* device = block.device;
    if (device == nullptr) return;  // a plan that only warms its nodes
    for (std::size_t c = 0; c < channels_.size(); ++c) {
        const int channel = channels_[c] - 1;
        if (channel >= device->out_channels) continue;
        const float* in = block.in(0, static_cast<int>(c));
        float* out = device->out[channel] + device->offset + block.offset;
        for (int k = 0; k < block.frames; ++k) out[k] += in[k];
    }
}

}  // namespace gainstage
