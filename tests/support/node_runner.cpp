#include "tests/support/node_runner.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "runtime/plan/build_node.hpp"
#include "runtime/plan/settle.hpp"
#include "runtime/realtime/slot.hpp"
#include "tests/support/guarded_ports.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test {

namespace {

int length_of(const Ports& inputs, const Sound& device) {
    for (const Sound& sound : inputs)
        if (!sound.empty()) return static_cast<int>(sound[0].size());
    return device.empty() ? 0 : static_cast<int>(device[0].size());
}

/// Channel `c` of a sound that may be narrower (as with a mono cable into a wider port). Null for silence.
const Channel* channel_of(const Ports& inputs, std::size_t port, std::size_t c) {
    if (port >= inputs.size() || inputs[port].empty()) return nullptr;
    return &inputs[port][std::min(c, inputs[port].size() - 1)];
}

void copy_in(const Channel* from, int frame, int frames, float* to) {
    if (from != nullptr)
        std::copy_n(from->begin() + frame, frames, to);
    else
        std::fill_n(to, frames, 0.f);
}

}  // namespace

NodeRunner::NodeRunner(const NodeType& type, const NodeConfig& config)
    : type_(type),
      params_(params_of(type, config.model.get())),
      setup_(setup_of(type, config, params_)),
      prepared_(prepared_of(type, config)),
      node_(build_node(type, prepared_.get(), setup_)),
      memory_(*node_),
      readings_(std::make_unique<std::atomic<float>[]>(type.readings.size() + 1)),
      time_(config.start_time) {
    for (const float value : setup_.start) ramps_.push_back(settled(value));
    ramps_.insert(ramps_.end(), Slot::extra_count, settled(0.f));
}

int NodeRunner::param_index(const std::string& name) const {
    for (std::size_t p = 0; p < params_.size(); ++p)
        if (params_[p].name == name) return static_cast<int>(p);
    throw std::logic_error(type_.name + " has no parameter " + name);
}

float NodeRunner::reading(const std::string& name) const {
    for (std::size_t r = 0; r < type_.readings.size(); ++r)
        if (type_.readings[r].name == name) return readings_[r].load();
    throw std::logic_error(type_.name + " has no reading " + name);
}

std::vector<float> NodeRunner::readings() const {
    std::vector<float> values;
    for (std::size_t r = 0; r < type_.readings.size(); ++r) values.push_back(readings_[r].load());
    return values;
}

Rest NodeRunner::settle() {
    return gainstage::settle(*node_, memory_, type_, *prepared_, setup_);
}

void NodeRunner::reset() {
    const RealtimeScope audio_thread;
    memory_.reset();
}

void NodeRunner::follow(const NodeRunner& other) {
    ramps_ = other.ramps_;
    time_ = other.time_;
}

void NodeRunner::copy_state(const NodeRunner& other) {
    follow(other);
    const RealtimeScope audio_thread;
    memory_.copy(other.memory_);
}

void NodeRunner::move(const Move& move) {
    const int index = param_index(move.param);
    const ParamSpec& spec = params_[index];
    Ramp& ramp = ramps_[index];
    const double smooth_ms = spec.steps > 0 ? 0. : double{move.smooth_ms.value_or(spec.smooth_ms)};
    ramp = {.start = time_,
            .length = static_cast<std::uint32_t>(std::lround(smooth_ms * setup_.sample_rate_hz / 1000.)),
            .from = ramp.at(time_),
            .to = std::clamp(move.value, spec.min, spec.max)};
}

Ports NodeRunner::run(const Ports& inputs, Partition partition, std::vector<Move> moves,
                      const Sound& device) {
    if (type_.inputs.empty() && device.empty() && !inputs.empty())
        return run({}, partition, std::move(moves), inputs[0]);
    const int frames = length_of(inputs, device);
    Ports outputs;
    for (const int width : setup_.output_channels)
        outputs.emplace_back(static_cast<std::size_t>(width), silence(frames));
    device_out_.assign(device_out_channels, silence(frames));
    std::stable_sort(moves.begin(), moves.end(),
                     [](const Move& a, const Move& b) { return a.frame < b.frame; });

    std::mt19937 random(partition.seed);
    auto next_move = moves.begin();
    for (int frame = 0; frame < frames;) {
        for (; next_move != moves.end() && next_move->frame <= frame; ++next_move) move(*next_move);
        int length = partition.seed == 0
                         ? partition.size
                         : 1 + static_cast<int>(random() % static_cast<std::uint32_t>(partition.size));
        length = std::min({length, frames - frame, max_block_frames});
        if (next_move != moves.end()) length = std::min(length, next_move->frame - frame);
        const int offset = partition.seed == 0 ? 0 : static_cast<int>(random() % 40);
        play(frame, length, inputs, device, outputs, offset);
        frame += length;
    }
    if (outputs.empty()) outputs.push_back(device_out_);
    return outputs;
}

void NodeRunner::play(int frame, int frames, const Ports& inputs, const Sound& device, Ports& outputs,
                      int offset) {
    GuardedPorts in(setup_.input_channels, frames, offset), out(setup_.output_channels, frames, offset);
    for (std::size_t p = 0; p < in.ports.size(); ++p)
        for (std::size_t c = 0; c < max_channels; ++c)
            copy_in(in.ports[p].channels > 0 ? channel_of(inputs, p, c) : nullptr, frame, frames,
                    in.at(p, c).begin());
    const std::vector<GuardedBuffer> in_before = in.buffers;

    std::vector<const float*> device_in;
    for (const Channel& channel : device) device_in.push_back(channel.data());
    std::vector<float*> device_out;
    for (Channel& channel : device_out_) device_out.push_back(channel.data());
    const DeviceBlock door{.in = device_in.data(),
                           .in_channels = static_cast<int>(device_in.size()),
                           .out = device_out.data(),
                           .out_channels = device_out_channels,
                           .offset = frame - offset};  // where frame 0 of the port buffers lies
    const Block block{.time = time_,
                      .frames = frames,
                      .offset = offset,
                      .inputs = in.ports.data(),
                      .outputs = out.ports.data(),
                      .params = ramps_.data(),
                      .device = &door,
                      .readings = readings_.get()};
    {
        const RealtimeScope audio_thread;
        node_->process(block);
    }
    for (std::size_t b = 0; b < in_before.size(); ++b)
        if (!in.buffers[b].same_as(in_before[b])) throw std::logic_error(type_.name + " changed its input");
    for (std::size_t p = 0; p < out.ports.size(); ++p)
        for (std::size_t c = 0; c < outputs[p].size(); ++c) {
            out.at(p, c).require_exactly_written(type_.name);
            std::copy_n(out.at(p, c).begin(), frames, outputs[p][c].begin() + frame);
        }
    time_ += static_cast<std::uint64_t>(frames);
}

}  // namespace gainstage::test
