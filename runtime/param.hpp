#pragma once
/// How a knob moves from one value to the next.

#include <cstdint>

namespace gainstage {

/// A straight line from `from` (at stream sample `start`) to `to` (at `start + length`), flat afterwards. It
/// is a closed formula: any thread can compute the value at any sample, and the block size cannot change it.
struct Ramp {
    std::uint64_t start = 0;
    std::uint32_t length = 0;  ///< samples; 0: a step, `to` holds from `start` on
    float from = 0.f, to = 0.f;

    bool moving(std::uint64_t time) const noexcept { return time < start + length; }
    float at(std::uint64_t time) const noexcept {
        if (!moving(time)) return to;
        if (time <= start) return from;
        return from + (to - from) * (static_cast<float>(time - start) / static_cast<float>(length));
    }
    /// True at the very sample where a knob jumps. Nodes that follow it act there at once instead of waiting
    /// for the control grid.
    bool steps_at(std::uint64_t time) const noexcept { return length == 0 && time == start; }
};

/// A knob that has always been at `value`.
inline Ramp settled(float value) {
    return {.start = 0, .length = 0, .from = value, .to = value};
}

}  // namespace gainstage
