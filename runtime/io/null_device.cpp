#include "runtime/io/null_device.hpp"

#include <thread>

namespace gainstage {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

NullDevice::NullDevice(const AudioRequest& request) : priority_(request.priority) {
    format_ = {.api = "null",
               .name = "no device",
               .in_channels = request.in_channels,
               .out_channels = request.out_channels,
               .rate_hz = request.rate_hz ? request.rate_hz : 48'000,
               .block_frames = request.block_frames,
               .latency_frames = request.block_frames};
    const auto frames = static_cast<std::size_t>(format_.block_frames);
    silence_.assign(frames, 0.f);
    dropped_.assign(frames * static_cast<std::size_t>(format_.out_channels), 0.f);
    in_.assign(static_cast<std::size_t>(format_.in_channels), silence_.data());
    for (int c = 0; c < format_.out_channels; ++c)
        out_.push_back(dropped_.data() + static_cast<std::size_t>(c) * frames);
}

void NullDevice::start(AudioCallback callback, void* context) {
    stop();
    running_ = true;
    try {
        thread_ = Thread("gainstage-audio", [this, callback, context] { play(callback, context); });
    } catch (...) {
        running_ = false;
        throw;
    }
}

void NullDevice::stop() noexcept {
    running_ = false;
    if (thread_.joinable()) thread_.join();
}

void NullDevice::play(AudioCallback callback, void* context) {
    take_realtime_priority(priority_);
    const std::chrono::duration<double> period(static_cast<double>(format_.block_frames) / format_.rate_hz);
    Clock::time_point begin = Clock::now();
    for (std::uint64_t block = 1; running_.load(std::memory_order_relaxed); ++block) {
        const auto due =
            begin + std::chrono::duration_cast<Clock::duration>(period * static_cast<double>(block));
        const Clock::time_point now = Clock::now();
        // Like a sound card, it does not wait for those who are late: the grid begins anew.
        const bool late = now > due + period;
        if (late) begin = now, block = 0;
        std::this_thread::sleep_until(late ? now : due);
        callback(
            context,
            {.in = in_.data(), .out = out_.data(), .frames = format_.block_frames, .output_underflow = late});
        count_callback();
    }
}

}  // namespace gainstage
