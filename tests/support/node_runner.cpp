#include "tests/support/node_runner.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "runtime/model/model.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test {

namespace {

constexpr std::uint32_t unwritten_bits = 0x7fc0dead;  // a NaN that no arithmetic makes
constexpr int margin = 16;                            // guard samples on either side of a buffer

float unwritten() {
    return std::bit_cast<float>(unwritten_bits);
}
bool is_unwritten(float x) {
    return std::bit_cast<std::uint32_t>(x) == unwritten_bits;
}

/// One channel of a port for one block: idle frames up to the block's offset, its frames, guards around.
class GuardedBuffer {
public:
    GuardedBuffer(int frames, int offset)
        : samples_(static_cast<std::size_t>(frames + offset + 2 * margin), unwritten()),
          first_(margin + offset),
          frames_(frames) {}

    /// What a PortBuffer points at: the block's first frame lies `offset` further on.
    float* data() { return samples_.data() + margin; }
    float* begin() { return samples_.data() + first_; }
    bool same_as(const GuardedBuffer& other) const {
        return std::memcmp(samples_.data(), other.samples_.data(), samples_.size() * sizeof(float)) == 0;
    }

    void require_exactly_written(const std::string& who) const {
        for (int k = 0; k < static_cast<int>(samples_.size()); ++k) {
            const bool inside = k >= first_ && k < first_ + frames_;
            if (is_unwritten(samples_[static_cast<std::size_t>(k)]) != inside) continue;
            throw std::logic_error(who + (inside ? " left unwritten" : " wrote outside its block") +
                                   ": frame " + std::to_string(k - first_) + " of " +
                                   std::to_string(frames_));
        }
    }

private:
    std::vector<float> samples_;
    int first_, frames_;
};

/// All ports of one side of a node for one block.
struct GuardedPorts {
    std::vector<GuardedBuffer> buffers;  ///< max_channels per port
    std::vector<PortBuffer> ports;

    GuardedPorts(const std::vector<int>& channels, int frames, int offset)
        : buffers(channels.size() * max_channels, GuardedBuffer(frames, offset)), ports(channels.size()) {
        for (std::size_t p = 0; p < ports.size(); ++p) {
            ports[p].channels = channels[p];
            for (std::size_t c = 0; c < max_channels; ++c) ports[p].channel[c] = at(p, c).data();
        }
    }
    GuardedBuffer& at(std::size_t port, std::size_t channel) {
        return buffers[port * max_channels + channel];
    }
};

OptionValue parsed(const OptionSpec& spec) {
    switch (spec.kind) {
        case OptionKind::integer:
            return std::int64_t{std::stoll(spec.start)};
        case OptionKind::number:
            return std::stod(spec.start);
        case OptionKind::boolean:
            return spec.start == "true";
        case OptionKind::channel_list:
            return std::vector<int>{std::stoi(spec.start)};
        case OptionKind::text:
        case OptionKind::choice:
            break;
    }
    return spec.start;
}

/// The channels of ports with Width::option: 0 where the option leaves it to the cables.
int option_width(const Options& options) {
    if (!options.has("channels")) return 0;
    for (const auto& [name, value] : options.values)
        if (name == "channels") {
            if (const auto* list = std::get_if<std::vector<int>>(&value))
                return static_cast<int>(list->size());
            return static_cast<int>(std::get<std::int64_t>(value));
        }
    return 0;
}

int port_width(const PortSpec& port, int follow, int own, int option) {
    switch (port.width) {
        case Width::follow:
            return follow;
        case Width::own:
            return own;
        case Width::mono:
            return 1;
        case Width::stereo:
            return 2;
        case Width::option:
            return option > 0 ? option : follow;
    }
    return follow;
}

Setup setup_of(const NodeType& type, const NodeConfig& config, const std::vector<ParamSpec>& params) {
    Setup setup{.sample_rate_hz = config.sample_rate_hz,
                .channels = config.channels,
                .input_channels = {},
                .output_channels = {},
                .options = options_of(type, config.options),
                .model = config.model,
                .start = {},
                .loop_latency_samples = config.loop_latency_samples};
    const int option = option_width(setup.options);
    for (std::size_t p = 0; p < type.inputs.size(); ++p) {
        const PortSpec& port = type.inputs[p];
        const int own = p < config.input_channels.size() ? config.input_channels[p]
                        : port.optional                  ? 0
                                                         : config.channels;
        setup.input_channels.push_back(own == 0 ? 0 : port_width(port, config.channels, own, option));
    }
    int widest = config.channels;
    for (const int width : setup.input_channels) widest = std::max(widest, width);
    for (const PortSpec& port : type.outputs)
        setup.output_channels.push_back(port_width(
            port, port.width == Width::option ? widest : config.channels, config.channels, option));
    for (const ParamSpec& spec : params) {
        const auto written = std::find_if(config.params.begin(), config.params.end(),
                                          [&](const auto& entry) { return entry.first == spec.name; });
        setup.start.push_back(written == config.params.end() ? spec.start : written->second);
    }
    return setup;
}

int length_of(const Ports& inputs, const Sound& device) {
    for (const Sound& sound : inputs)
        if (!sound.empty()) return static_cast<int>(sound[0].size());
    return device.empty() ? 0 : static_cast<int>(device[0].size());
}

/// Channel `c` of a sound that may be narrower, as a mono cable into a wider port; null: silence.
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

Options options_of(const NodeType& type, const std::vector<std::pair<std::string, OptionValue>>& changes) {
    Options options;
    for (const OptionSpec& spec : type.options) {
        const auto change = std::find_if(changes.begin(), changes.end(),
                                         [&](const auto& entry) { return entry.first == spec.name; });
        if (change != changes.end())
            options.values.push_back(*change);
        else if (!spec.start.empty())
            options.values.emplace_back(spec.name, parsed(spec));
        else if (spec.required)
            throw std::logic_error("a test must give option " + spec.name + " of " + type.name);
    }
    return options;
}

std::vector<ParamSpec> params_of(const NodeType& type, const Model* model) {
    std::vector<ParamSpec> params = type.params;
    if (model != nullptr)
        for (const ModelControl& control : model->controls)
            params.push_back({.name = control.name,
                              .unit = control.unit,
                              .min = control.min,
                              .max = control.max,
                              .start = control.start,
                              .steps = control.steps});
    return params;
}

NodeRunner::NodeRunner(const NodeType& type, const NodeConfig& config)
    : type_(type),
      params_(params_of(type, config.model.get())),
      setup_(setup_of(type, config, params_)),
      node_(type.make(setup_)),
      readings_(std::make_unique<std::atomic<float>[]>(type.readings.size() + 1)),
      time_(config.start_time) {
    for (const float value : setup_.start) ramps_.push_back(settled(value));
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

void NodeRunner::reset() {
    const RealtimeScope audio_thread;
    node_->reset();
}

void NodeRunner::follow(const NodeRunner& other) {
    ramps_ = other.ramps_;
    time_ = other.time_;
}

void NodeRunner::copy_state(const NodeRunner& other) {
    follow(other);
    const RealtimeScope audio_thread;
    node_->copy_state(*other.node_);
}

void NodeRunner::move(const Move& move) {
    const int index = param_index(move.param);
    const ParamSpec& spec = params_[static_cast<std::size_t>(index)];
    Ramp& ramp = ramps_[static_cast<std::size_t>(index)];
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
