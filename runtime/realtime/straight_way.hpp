#pragma once
/// What is heard while the whole patch is bypassed: the inputs, as late as the patch is.

#include <array>
#include <cstdint>
#include <vector>

#include "runtime/node.hpp"
#include "runtime/param.hpp"

namespace gainstage {

/// Which input of the device each output gets, and how late. A value.
struct StraightRoute {
    static constexpr int most_channels = 64;  ///< of a device, as patches may name them
    static constexpr std::int8_t silence = -1;

    StraightRoute() { input_of.fill(silence); }
    std::array<std::int8_t, most_channels> input_of;  ///< per output of the device, counted from 0
    std::int32_t delay = 0;                           ///< samples
    bool operator==(const StraightRoute&) const = default;
};

/// Keeps the recent past of the device's inputs, and plays it to the outputs. Where an edit changes the route
/// while it is heard, the old one fades into the new one. What is no number is silence, and nothing leaves
/// above 0 dBFS; every other bit passes. Audio thread; the constructor allocates all there is.
class StraightWay {
public:
    static constexpr double longest_s = 0.5;  ///< a later patch is heard that late, not later
    static constexpr float fade_ms = 20.f;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// `channels`: of the device's inputs; those beyond are silent.
    StraightWay(double sample_rate_hz, int channels);

    /// The route of the patch that plays. Takes it up at once, or when the fade before it is over.
    void follow(const StraightRoute&, bool is_heard, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// The last sample of a fade of routes ends a piece; `never` where none runs.
    std::uint64_t next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME;
    /// Takes in the inputs of a piece. Before play(), for every piece.
    void remember(const DeviceBlock&, int frames, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// Lays the inputs over what the device gets, as far as `bypass` says.
    void play(const DeviceBlock&, const Ramp& bypass, int frames,
              std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    /// The longest delay that it can play, in samples. Any thread.
    int longest_delay() const noexcept { return size_ - 1; }

private:
    /// One sample of a route's sound for an output of the device.
    float sample(const StraightRoute&, int output, std::uint64_t time) const noexcept GAINSTAGE_REALTIME;

    const double sample_rate_hz_;
    const int size_;                         // of a ring: a power of two
    std::vector<std::vector<float>> rings_;  // per input of the device
    StraightRoute from_, to_;
    Ramp fade_ = settled(1.f);  // from from_ to to_
};

}  // namespace gainstage
