#include "runtime/control/input_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gainstage {

namespace {
constexpr int buffer_frames = 4096;
constexpr float silence[64] = {};
}  // namespace

InputRecorder::InputRecorder(const std::string& file, int channels, int rate_hz, int ring_frames)
    : file_(file),
      input_channels_(channels),
      writer_(std::make_unique<SoundWriter>(file, std::max(channels, 1), rate_hz)),
      buffer_(static_cast<std::size_t>(std::max(channels, 1)), std::vector<float>(buffer_frames)) {
    for (std::size_t c = 0; c < buffer_.size(); ++c) {
        Ring& ring = *rings_.emplace_back(std::make_unique<Ring>(static_cast<std::size_t>(ring_frames)));
        while (ring.push(0.f)) {  // touches its memory, so that the audio thread meets no page fault
        }
        ring.reset();
    }
}

// ------------------------------------------------------------------------------------------------ audio
// thread

int InputRecorder::room() const noexcept {
    std::size_t room = rings_.front()->write_available();
    for (const auto& ring : rings_) room = std::min(room, ring->write_available());
    return static_cast<int>(room);
}

void InputRecorder::push(const float* const* in, int frames) noexcept {
    const auto count = static_cast<std::uint64_t>(frames);
    const bool fits = room() >= frames && (open_gap_.frames == 0 || gaps_.push(open_gap_));
    if (fits) {
        open_gap_.frames = 0;
        for (int c = 0; c < input_channels_; ++c) rings_[c]->push(in[c], static_cast<std::size_t>(frames));
        if (input_channels_ == 0)
            for (int k = 0; k < frames; k += 64)
                rings_.front()->push(silence, static_cast<std::size_t>(std::min(64, frames - k)));
    } else {
        if (open_gap_.frames == 0) open_gap_.at = now_;
        open_gap_.frames += count;
        lost_.fetch_add(count, std::memory_order_relaxed);
    }
    now_ += count;
}

// ------------------------------------------------------------------------------------------------ control
// thread

int InputRecorder::filling() const noexcept {
    std::size_t filling = rings_.front()->read_available();
    for (const auto& ring : rings_) filling = std::min(filling, ring->read_available());
    return static_cast<int>(filling);
}

void InputRecorder::write(int frames) {
    position_ += static_cast<std::uint64_t>(frames);
    if (!writer_) return;
    std::vector<const float*> channels;
    for (const auto& channel : buffer_) channels.push_back(channel.data());
    try {
        writer_->write(channels.data(), frames);
    } catch (const WriteError& error) {
        give_up(error);
    }
    written_ += static_cast<std::uint64_t>(frames);
}

void InputRecorder::write_silence(std::uint64_t frames) {
    for (auto& channel : buffer_) std::fill(channel.begin(), channel.end(), 0.f);
    for (std::uint64_t done = 0; done < frames; done += buffer_frames)
        write(static_cast<int>(std::min<std::uint64_t>(buffer_frames, frames - done)));
}

/// Nobody wants to lose three hours because the last minute did not fit.
void InputRecorder::give_up(const WriteError& error) {
    const std::unique_ptr<SoundWriter> writer = std::move(writer_);
    try {
        writer->finish();
    } catch (const WriteError&) {
        throw WriteError(fmt::format("{}; nothing of it could be kept", error.what()));
    }
    throw WriteError(fmt::format("{}; what came before is kept", error.what()));
}

void InputRecorder::drain() {
    for (int left = filling(); left > 0;) {
        // Whoever sees what follows a gap sees the gap too.
        const bool has_gap = gaps_.read_available() > 0;
        const Gap gap = has_gap ? gaps_.front() : Gap{};
        if (has_gap && gap.at == position_) {
            gaps_.pop();
            write_silence(gap.frames);
            continue;
        }
        int count = std::min(left, buffer_frames);
        if (has_gap) count = static_cast<int>(std::min<std::uint64_t>(count, gap.at - position_));
        for (std::size_t c = 0; c < buffer_.size(); ++c)
            rings_[c]->pop(buffer_[c].data(), static_cast<std::size_t>(count));
        left -= count;
        write(count);
    }
}

void InputRecorder::finish() {
    drain();
    write_silence(open_gap_.frames);
    if (const auto writer = std::move(writer_)) writer->finish();
}

}  // namespace gainstage
