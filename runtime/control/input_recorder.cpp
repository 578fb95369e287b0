#include "runtime/control/input_recorder.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace gainstage {

namespace {

constexpr int buffer_frames = 4096;
constexpr std::chrono::seconds disk_every{1};

SoundWriter::Manner manner(bool may_replace) {
    return {.file = {.growth = FileManner::Growth::visible, .may_replace = may_replace},
            .frames = SoundWriter::any_length};
}

}  // namespace

InputRecorder::InputRecorder(const std::string& file, InputTap& tap, int rate_hz, bool may_replace)
    : file_(file),
      tap_(tap),
      writer_(std::make_unique<SoundWriter>(file, tap.channels(), rate_hz, manner(may_replace))),
      buffer_(static_cast<std::size_t>(tap.channels()), std::vector<float>(buffer_frames)) {
    for (auto& channel : buffer_) channels_.push_back(channel.data());
}

InputRecorder::~InputRecorder() {
    if (writer_ && written_ == 0) writer_->discard();
}

void InputRecorder::write(int frames) {
    if (!writer_) return;
    try {
        writer_->write(channels_.data(), frames);
    } catch (const WriteError& error) {
        give_up(error);
    }
    print_.add(channels_.data(), static_cast<int>(channels_.size()), frames);
    written_.fetch_add(static_cast<std::uint64_t>(frames), std::memory_order_relaxed);
}

/// Nobody wants to lose three hours because the last minute did not fit.
void InputRecorder::give_up(const WriteError& error) {
    const std::unique_ptr<SoundWriter> writer = std::move(writer_);
    std::string place;
    try {
        place = writer->finish();
    } catch (const WriteError& last) {
        throw WriteError(fmt::format("{}; {}", error.what(), last.what()));
    }
    throw WriteError(fmt::format("{}; what came before is kept{}", error.what(),
                                 place == file_ ? "" : fmt::format(" as {}", place)));
}

void InputRecorder::pull() {
    while (const int count = tap_.pop(channels_.data(), buffer_frames)) write(count);
}

void InputRecorder::update() {
    if (!writer_) return;
    try {
        writer_->update();
    } catch (const WriteError& error) {
        give_up(error);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - on_disk_at_ < disk_every) return;
    on_disk_at_ = now;
    if (writer_->is_deleted() && !std::exchange(is_deleted_, true))
        throw WriteError(file_ + deleted_while_it_grew);
    if (writer_->sync() || std::exchange(disk_is_bad_, true)) return;
    throw WriteError(fmt::format("{}: the disk reports a fault ({}); parts of the recording may be missing",
                                 file_, std::strerror(errno)));
}

void InputRecorder::drain() {
    const std::uint64_t before = written_;
    pull();
    if (written_ != before) update();
}

void InputRecorder::drain_rest() {
    if (std::exchange(is_over_, true)) return;
    pull();
    tap_.end();
    pull();
}

std::optional<TakeRecording> InputRecorder::recording() const {
    if (!writer_ || disk_is_bad_ || print_.frames() == 0) return std::nullopt;
    return TakeRecording{
        .frames = print_.frames(), .channels = static_cast<int>(channels_.size()), .print = print_.value()};
}

std::string InputRecorder::finish() {
    drain_rest();
    const auto writer = std::move(writer_);
    return writer ? writer->finish() : file_;
}

}  // namespace gainstage
