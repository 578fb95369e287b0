#include "runtime/realtime/input_tap.hpp"

#include <algorithm>

namespace gainstage {

namespace {
constexpr float silent_frames[64] = {};
}  // namespace

InputTap::InputTap(int channels, int ring_frames) : input_channels_(channels) {
    for (int c = 0; c < std::max(channels, 1); ++c) {
        Ring& ring = *rings_.emplace_back(std::make_unique<Ring>(static_cast<std::size_t>(ring_frames)));
        while (ring.push(0.f)) {  // touches the memory, so that the audio thread meets no page fault
        }
        ring.reset();
    }
}

// ------------------------ audio thread

int InputTap::room() const noexcept GAINSTAGE_REALTIME {
    std::size_t room = rings_.front()->write_available();
    for (const auto& ring : rings_) room = std::min(room, ring->write_available());
    return static_cast<int>(room);
}

void InputTap::push(const float* const* in, int frames) noexcept GAINSTAGE_REALTIME {
    const auto count = static_cast<std::uint64_t>(frames);
    const bool fits = room() >= frames && (open_gap_.frames == 0 || gaps_.push(open_gap_));
    if (fits) {
        open_gap_.frames = 0;
        for (int c = 0; c < input_channels_; ++c) rings_[c]->push(in[c], static_cast<std::size_t>(frames));
        if (input_channels_ == 0)
            for (int k = 0; k < frames; k += 64)
                rings_.front()->push(silent_frames, static_cast<std::size_t>(std::min(64, frames - k)));
    } else {
        if (open_gap_.frames == 0) open_gap_.at = now_;
        open_gap_.frames += count;
        lost_.fetch_add(count, std::memory_order_relaxed);
    }
    now_ += count;
}

// ------------------------ the reader

int InputTap::filling() const noexcept {
    std::size_t filling = rings_.front()->read_available();
    for (const auto& ring : rings_) filling = std::min(filling, ring->read_available());
    return static_cast<int>(filling);
}

int InputTap::pop_silence(float* const* to, int most) {
    const auto count = static_cast<int>(std::min<std::uint64_t>(most, silence_left_));
    for (int c = 0; c < channels(); ++c) std::fill_n(to[c], count, 0.f);
    silence_left_ -= static_cast<std::uint64_t>(count);
    position_ += static_cast<std::uint64_t>(count);
    return count;
}

int InputTap::pop(float* const* to, int most) {
    if (silence_left_ > 0) return pop_silence(to, most);
    int count = std::min(filling(), most);
    if (count == 0) return 0;
    // The gap was pushed before what follows it: whoever sees that sees the gap too.
    if (gaps_.read_available() > 0) {
        const Gap gap = gaps_.front();
        if (gap.at == position_) {
            gaps_.pop();
            silence_left_ = gap.frames;
            return pop_silence(to, most);
        }
        count = static_cast<int>(std::min<std::uint64_t>(count, gap.at - position_));
    }
    for (int c = 0; c < channels(); ++c) rings_[c]->pop(to[c], static_cast<std::size_t>(count));
    position_ += static_cast<std::uint64_t>(count);
    return count;
}

void InputTap::end() {
    silence_left_ += open_gap_.frames;
    open_gap_.frames = 0;
}

}  // namespace gainstage
