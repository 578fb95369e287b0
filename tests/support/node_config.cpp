#include "tests/support/node_config.hpp"

#include <algorithm>
#include <stdexcept>

#include "runtime/model/model.hpp"

namespace gainstage::test {

namespace {

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

/// Channels of the ports with Width::option; 0 if the option leaves it to the cables.
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

std::shared_ptr<const Prepared> prepared_of(const NodeType& type, const NodeConfig& config) {
    return config.model ? type.prepare(*config.model, config.sample_rate_hz) : nullptr;
}

Setup setup_of(const NodeType& type, const NodeConfig& config, const std::vector<ParamSpec>& params) {
    Setup setup{.sample_rate_hz = config.sample_rate_hz,
                .channels = config.channels,
                .input_channels = {},
                .output_channels = {},
                .options = options_of(type, config.options),
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

}  // namespace gainstage::test
