#pragma once
/// The level of the whole stream: how it begins, how it ends, the panic between, and the player's own hands
/// on it.

#include <atomic>
#include <cstdint>

#include "runtime/node.hpp"
#include "runtime/param.hpp"
#include "runtime/realtime/master_knobs.hpp"
#include "runtime/realtime/straight_way.hpp"

namespace gainstage {

/// What comes from the patch goes through it in this order: bypass, gain, mute, then the ramps of start,
/// panic and end. At 0 dB, without mute and bypass, every bit passes.
class Master {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};
    static constexpr float panic_down_ms = 5.f, panic_up_ms = 20.f;

    // control thread
    /// `in_channels`: of the device, for the bypass.
    explicit Master(double sample_rate_hz, int in_channels = 0)
        : sample_rate_hz_(sample_rate_hz), straight_(sample_rate_hz, in_channels) {}
    /// Before the first block: the stream begins with a ramp, or with 0 ms at full level.
    void start(float ramp_ms);

    // audio thread
    /// A knob moves to `value`, in `ms` or, below 0, as it says itself. A value beyond its range is the end
    /// of it.
    void turn(MasterKnob, float value, float ms, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// The inputs go straight to the outputs on this route while everything is bypassed. For every piece,
    /// before play().
    void follow(const StraightRoute&, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// Goes to silence, at once. Returns the sample at which to forget all sound in flight; `never` if it is
    /// already on its way to silence.
    std::uint64_t panic(std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// From the silence of a panic back to full level; after a fade-out it stays silent.
    void come_back(std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// Goes to silence in `ms`, for good.
    void fade_out(std::uint64_t now, float ms) noexcept GAINSTAGE_REALTIME;
    /// The last sample of a fade-out or of a fade of routes ends a piece; `never` where none runs.
    std::uint64_t next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME;
    /// Lays the level on what the device gets. True: the fade-out ended with these frames.
    bool play(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    // any thread
    /// The sample from which on the stream is silent for good; `never` until then.
    std::uint64_t silent_at() const noexcept { return silent_at_.load(std::memory_order_acquire); }
    /// Where the knobs are going, as far as their moves have been applied.
    MasterKnobs knobs() const noexcept {
        return {.gain_db = gain_to_.load(std::memory_order_relaxed),
                .mute = mute_to_.load(std::memory_order_relaxed),
                .bypass = bypass_to_.load(std::memory_order_relaxed)};
    }
    /// The latest patch that the bypass can play in time, in samples.
    int longest_bypass() const noexcept { return straight_.longest_delay(); }

private:
    std::uint32_t samples(float ms) const noexcept GAINSTAGE_REALTIME;
    void turn_down(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    void silence(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    bool level(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    const double sample_rate_hz_;
    Ramp gain_db_ = settled(0.f), mute_ = settled(0.f), bypass_ = settled(0.f);
    StraightWay straight_;
    Ramp level_ = settled(1.f);
    bool fading_out_ = false;
    std::atomic<std::uint64_t> silent_at_{never};
    std::atomic<float> gain_to_{0.f}, mute_to_{0.f}, bypass_to_{0.f};
};

}  // namespace gainstage
