#include "runtime/control/input_recorder.hpp"

#include <fmt/format.h>

namespace gainstage {

namespace {
constexpr int buffer_frames = 4096;
}  // namespace

InputRecorder::InputRecorder(const std::string& file, InputTap& tap, int rate_hz)
    : tap_(tap),
      writer_(std::make_unique<SoundWriter>(file, tap.channels(), rate_hz)),
      buffer_(static_cast<std::size_t>(tap.channels()), std::vector<float>(buffer_frames)) {
    for (auto& channel : buffer_) channels_.push_back(channel.data());
}

void InputRecorder::write(int frames) {
    if (!writer_) return;
    try {
        writer_->write(channels_.data(), frames);
    } catch (const WriteError& error) {
        give_up(error);
    }
    written_.fetch_add(static_cast<std::uint64_t>(frames), std::memory_order_relaxed);
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
    while (const int count = tap_.pop(channels_.data(), buffer_frames)) write(count);
}

void InputRecorder::finish() {
    drain();
    tap_.end();
    drain();
    if (const auto writer = std::move(writer_)) writer->finish();
}

}  // namespace gainstage
