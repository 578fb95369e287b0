#pragma once
/// The recent past of the device's inputs, a history a channel.

#include <array>
#include <memory>
#include <vector>

#include "runtime/realtime/history.hpp"

namespace gainstage {

/// Per device channel that a patch reads, counted from 0; null where it reads none. However many nodes read a
/// channel, its past is kept once.
using DevicePast = std::vector<std::shared_ptr<History>>;

inline constexpr std::array<float, max_block_frames> silent_block{};

/// Audio thread. Adds the next frames of the device, before any node plays them. A channel that the device
/// lacks is silence.
inline void remember(const DevicePast& past, const DeviceBlock& device, int frames,
                     std::uint64_t time) noexcept GAINSTAGE_REALTIME {
    for (std::size_t c = 0; c < past.size(); ++c) {
        if (!past[c]) continue;
        const bool is_there = static_cast<int>(c) < device.in_channels;
        past[c]->write(is_there ? device.in[c] + device.offset : silent_block.data(), frames, time);
    }
}

/// The past of the device in place of the device.
class RecalledDevice {
public:
    RecalledDevice() = default;
    RecalledDevice(RecalledDevice&&) = default;  // a copy would point into the other's sound
    RecalledDevice& operator=(RecalledDevice&&) = default;
    /// Control thread. `max_frames`: longest piece.
    RecalledDevice(DevicePast past, int max_frames)
        : past_(std::move(past)),
          sound_(past_.size(), std::vector<float>(static_cast<std::size_t>(max_frames))) {
        for (const auto& channel : sound_) channels_.push_back(channel.data());
    }

    /// Audio thread, or the thread that warms. False: a part of it is no longer there.
    bool recall(std::uint64_t time, int frames) noexcept GAINSTAGE_REALTIME {
        for (std::size_t c = 0; c < past_.size(); ++c) {
            if (!past_[c]) continue;
            const PortBuffer to{.channel = {sound_[c].data(), sound_[c].data()}, .channels = 1};
            if (!past_[c]->read(time, frames, to, 0)) return false;
        }
        return true;
    }
    DeviceBlock block() const noexcept {
        return {.in = channels_.data(), .in_channels = static_cast<int>(channels_.size())};
    }

private:
    DevicePast past_;
    std::vector<std::vector<float>> sound_;
    std::vector<const float*> channels_;
};

}  // namespace gainstage
