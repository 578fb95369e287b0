#pragma once
/// The level of the whole stream: how it begins, how it ends, and the panic between.

#include <atomic>
#include <cstdint>

#include "runtime/node.hpp"
#include "runtime/param.hpp"

namespace gainstage {

class Master {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    static constexpr float panic_down_ms = 5.f, panic_up_ms = 20.f;

    // control thread
    explicit Master(double sample_rate_hz) : sample_rate_hz_(sample_rate_hz) {}
    /// Before the first block: the stream begins with a ramp, or with 0 ms at full level.
    void start(float ramp_ms);

    // audio thread
    /// Goes to silence, at once. Returns the sample at which to forget all sound in flight; `never` if it is
    /// already on its way to silence.
    std::uint64_t panic(std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// From the silence of a panic back to full level; after a fade-out it stays silent.
    void come_back(std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// Goes to silence in `ms`, for good.
    void fade_out(std::uint64_t now, float ms) noexcept GAINSTAGE_REALTIME;
    /// The last sample of a fade-out that runs ends a piece; `never` where none runs.
    std::uint64_t next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME;
    /// Lays the level on what the device gets. True: the fade-out ended with these frames.
    bool play(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    // any thread
    /// The sample from which on the stream is silent for good; `never` until then.
    std::uint64_t silent_at() const noexcept { return silent_at_.load(std::memory_order_acquire); }

private:
    std::uint32_t samples(float ms) const noexcept GAINSTAGE_REALTIME;

    const double sample_rate_hz_;
    Ramp level_ = settled(1.f);
    bool fading_out_ = false;
    std::atomic<std::uint64_t> silent_at_{never};
};

}  // namespace gainstage
