#pragma once
/// The option `channels` of the nodes input and output: the device channels that they use.

#include "runtime/node.hpp"

namespace gainstage {

inline OptionSpec door_channels_spec(std::string summary) {
    return {.name = "channels",
            .kind = OptionKind::channel_list,
            .required = true,
            .min = 1.,
            .max = 64.,
            .summary = std::move(summary)};
}

/// Throws SetupError unless the list has one or two entries.
inline std::vector<int> door_channels(const Options& options) {
    const auto& channels = options.get<std::vector<int>>("channels");
    if (channels.empty() || channels.size() > max_channels)
        throw SetupError(
            "channels lists " + std::to_string(channels.size()) +
            " device channels; expected one (mono) or two (stereo): use a node for each further pair");
    return channels;
}

}  // namespace gainstage
