#pragma once
/// The key of a dynamics processor: the signal whose level controls the gain of the programme.

#include <algorithm>
#include <cmath>

#include "runtime/node.hpp"

namespace gainstage {

/// Inputs of a node with a sidechain.
inline constexpr int programme_port = 0, sidechain_port = 1;

/// Number of detectors of a dynamics node with `channels` channels. Linked channels share one: a loud left
/// also turns down the right, so the stereo image stays in place.
inline int detectors_of(int channels, bool linked) {
    return linked ? 1 : channels;
}

/// The sidechain if a cable enters it, else the programme.
class Key {
public:
    Key(const Block& block, int channels, int detectors) noexcept
        : Key(block, block.connected(sidechain_port) ? sidechain_port : programme_port,
              block.connected(sidechain_port) ? block.inputs[sidechain_port].channels : channels, detectors) {
    }

    /// Amplitude for detector `d` at frame k. A single detector takes the louder channel of the key.
    float level(int d, int k) const noexcept {
        if (!loudest_) return std::abs(channel_[d][k]);
        return std::max(std::abs(channel_[0][k]), std::abs(channel_[1][k]));
    }

private:
    Key(const Block& block, int port, int channels, int detectors) noexcept
        : channel_{block.in(port, 0), block.in(port, channels - 1)},
          loudest_(detectors == 1 && channels == 2) {}

    const float* channel_[max_channels];
    bool loudest_;
};

}  // namespace gainstage
