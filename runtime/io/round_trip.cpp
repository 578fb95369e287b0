#include "runtime/io/round_trip.hpp"

#include <algorithm>
#include <utility>

namespace gainstage {

RoundTrip::RoundTrip(std::vector<float> chirp, int in_channel, int in_channels, int out_channel,
                     int out_channels, double rate_hz, double patience_s)
    : chirp_(std::move(chirp)),
      in_channel_(in_channel),
      in_channels_(in_channels),
      out_channel_(out_channel),
      out_channels_(out_channels),
      heard_(chirp_.size() + static_cast<std::size_t>(patience_s * rate_hz)) {}

void RoundTrip::begin_take(float amplitude) {
    amplitude_ = amplitude;
    position_ = 0;
    running_.store(true, std::memory_order_release);
}

void RoundTrip::play(void* self, const AudioBlock& block) {
    static_cast<RoundTrip*>(self)->play(block);
}

void RoundTrip::play(const AudioBlock& block) noexcept {
    for (int c = 0; c < out_channels_; ++c) std::fill_n(block.out[c], block.frames, 0.f);
    if (!running_.load(std::memory_order_acquire)) return;
    const float* in = in_channel_ < in_channels_ ? block.in[in_channel_] : nullptr;
    float* out = block.out[out_channel_];
    for (int k = 0; k < block.frames && position_ < heard_.size(); ++k, ++position_) {
        heard_[position_] = in ? in[k] : 0.f;
        if (position_ < chirp_.size()) out[k] = amplitude_ * chirp_[position_];
    }
    if (position_ == heard_.size()) running_.store(false, std::memory_order_release);
}

}  // namespace gainstage
