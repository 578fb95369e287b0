#pragma once
/// A knob: the values that it takes, and how it moves from one to the next.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// A knob. Values are plain numbers in `unit`; the engine smooths, clamps to min..max and stamps every move.
struct ParamSpec {
    std::string name;       ///< with its unit where it has one: "gain_db", "attack_ms"
    std::string unit = {};  ///< "dB", "dBFS", "ms", "Hz", "%", ":1", "samples", "" for a bare number
    float min = 0.f, max = 1.f, start = 0.f;
    std::string summary = {};
    float smooth_ms = 20.f;  ///< length of the ramp after a move, unless the patch says otherwise
    int steps = 0;           ///< >0: the knob takes this many evenly spaced values (2 = a switch); no ramp
};

/// The distance between two values of a knob with steps; the whole range where it has fewer than two. Any
/// thread.
inline float step_width(const ParamSpec& spec) noexcept GAINSTAGE_REALTIME {
    return (spec.max - spec.min) / static_cast<float>(std::max(1, spec.steps - 1));
}
/// The nearest of `steps` evenly spaced values from `min` to `max`. REQUIRES: min < max, steps >= 2. Any
/// thread.
inline float nearest_step(float value, float min, float max, int steps) noexcept GAINSTAGE_REALTIME {
    const float step = (max - min) / static_cast<float>(steps - 1);
    return min + step * std::round((std::clamp(value, min, max) - min) / step);
}
/// The knob's value nearest to `value`: within its range and, where it has steps, on one of them. Any thread.
inline float nearest_value(const ParamSpec& spec, float value) noexcept GAINSTAGE_REALTIME {
    if (spec.steps < 2) return std::clamp(value, spec.min, spec.max);
    return nearest_step(value, spec.min, spec.max, spec.steps);
}

/// True for frequencies and times: an ear hears equal ratios of them as equal steps. A morph takes such a
/// knob by ratios. Any thread.
inline bool goes_by_ratio(const ParamSpec& spec) noexcept {
    return spec.steps == 0 &&
           (spec.unit == "Hz" || spec.unit == "kHz" || spec.unit == "ms" || spec.unit == "s");
}

/// `way` of the way from one value to another, 0..1, by equal ratios; by equal differences where one of them
/// has no ratio, because it is 0 or less. Always between the two. Any thread.
GAINSTAGE_NOINLINE inline float by_ratio_between(float from, float to,
                                                 float way) noexcept GAINSTAGE_REALTIME {
    constexpr float least = std::numeric_limits<float>::min();
    if (!(from >= least && to >= least)) return from + (to - from) * way;
    const float log_from = std::log2(from);
    const float value = std::exp2(log_from + (std::log2(to) - log_from) * way);
    return std::clamp(value, std::min(from, to), std::max(from, to));
}

/// The way from `from` (at stream sample `start`) to `to` (at `start + length`), flat afterwards: by equal
/// differences, or by equal ratios. It is a closed formula: any thread can compute the value at any sample,
/// and the block size cannot change it.
struct Ramp {
    std::uint64_t start = 0;
    std::uint32_t length = 0;  ///< samples; 0: a step, `to` holds from `start` on
    float from = 0.f, to = 0.f;
    bool by_ratio = false;

    bool moving(std::uint64_t time) const noexcept { return time < start + length; }
    float at(std::uint64_t time) const noexcept {
        if (!moving(time)) return to;
        if (time <= start) return from;
        const float way = static_cast<float>(time - start) / static_cast<float>(length);
        return by_ratio ? by_ratio_between(from, to, way) : from + (to - from) * way;
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
