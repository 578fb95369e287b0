#include "runtime/realtime/straight_way.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "runtime/realtime/samples.hpp"

namespace gainstage {

namespace {

int ring_size(double sample_rate_hz) {
    return static_cast<int>(
        std::bit_ceil(static_cast<unsigned>(StraightWay::longest_s * sample_rate_hz) + 1));
}

float safe(float x) noexcept {
    return std::isfinite(x) ? std::clamp(x, -1.f, 1.f) : 0.f;
}

}  // namespace

StraightWay::StraightWay(double sample_rate_hz, int channels)
    : sample_rate_hz_(sample_rate_hz),
      size_(ring_size(sample_rate_hz)),
      rings_(static_cast<std::size_t>(std::clamp(channels, 0, StraightRoute::most_channels)),
             std::vector<float>(static_cast<std::size_t>(size_))) {}

void StraightWay::follow(const StraightRoute& route, bool is_heard,
                         std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (fade_.moving(now) || route == to_) return;
    from_ = to_;
    to_ = route;
    fade_ = {
        .start = now, .length = is_heard ? samples_of(fade_ms, sample_rate_hz_) : 0, .from = 0.f, .to = 1.f};
}

std::uint64_t StraightWay::next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME {
    return fade_.moving(now) ? fade_.start + fade_.length : never;
}

void StraightWay::remember(const DeviceBlock& device, int frames,
                           std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    const auto mask = static_cast<std::uint64_t>(size_ - 1);
    const int channels = std::min(device.in_channels, static_cast<int>(rings_.size()));
    for (int c = 0; c < channels; ++c) {
        const float* in = device.in[c] + device.offset;
        float* ring = rings_[c].data();
        for (int k = 0; k < frames; ++k) ring[(now + static_cast<std::uint64_t>(k)) & mask] = safe(in[k]);
    }
}

float StraightWay::sample(const StraightRoute& route, int output,
                          std::uint64_t time) const noexcept GAINSTAGE_REALTIME {
    const int input = output < StraightRoute::most_channels ? route.input_of[output] : StraightRoute::silence;
    if (input < 0 || input >= static_cast<int>(rings_.size())) return 0.f;
    const auto delay = static_cast<std::uint64_t>(std::min(route.delay, size_ - 1));
    return rings_[input][(time - delay) & static_cast<std::uint64_t>(size_ - 1)];
}

void StraightWay::play(const DeviceBlock& device, const Ramp& bypass, int frames,
                       std::uint64_t now) noexcept GAINSTAGE_REALTIME {
    if (!bypass.moving(now) && bypass.to == 0.f) return;
    for (int c = 0; c < device.out_channels; ++c) {
        float* out = device.out[c] + device.offset;
        for (int k = 0; k < frames; ++k) {
            const std::uint64_t time = now + static_cast<std::uint64_t>(k);
            const float b = bypass.at(time);
            if (b <= 0.f) continue;
            float straight = sample(to_, c, time);
            if (fade_.moving(time)) {
                const float before = sample(from_, c, time);
                straight = before + (straight - before) * fade_.at(time);
            }
            // In this form the end of the ramp is the input to the bit, whatever the patch plays.
            out[k] = b >= 1.f ? straight : straight + (out[k] - straight) * (1.f - b);
        }
    }
}

}  // namespace gainstage
