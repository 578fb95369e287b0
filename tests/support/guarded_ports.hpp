#pragma once
/// Buffers that notice when a node writes too much, too little, or to its input.

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/node.hpp"

namespace gainstage::test {

inline constexpr std::uint32_t unwritten_bits = 0x7fc0dead;  // a NaN that no arithmetic makes
inline constexpr int guard_samples = 16;                     // on either side of a buffer

inline float unwritten() {
    return std::bit_cast<float>(unwritten_bits);
}
inline bool is_unwritten(float x) {
    return std::bit_cast<std::uint32_t>(x) == unwritten_bits;
}

/// One channel of a port for one block: idle frames up to the block's offset, its frames, and guards on both
/// sides.
class GuardedBuffer {
public:
    GuardedBuffer(int frames, int offset)
        : samples_(static_cast<std::size_t>(frames + offset + 2 * guard_samples), unwritten()),
          first_(guard_samples + offset),
          frames_(frames) {}

    /// For a PortBuffer. The first frame of the block lies `offset` samples further on.
    float* data() { return samples_.data() + guard_samples; }
    float* begin() { return samples_.data() + first_; }
    bool same_as(const GuardedBuffer& other) const {
        return std::memcmp(samples_.data(), other.samples_.data(), samples_.size() * sizeof(float)) == 0;
    }

    void require_exactly_written(const std::string& who) const {
        for (int k = 0; k < static_cast<int>(samples_.size()); ++k) {
            const bool inside = k >= first_ && k < first_ + frames_;
            if (is_unwritten(samples_[k]) != inside) continue;
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

}  // namespace gainstage::test
