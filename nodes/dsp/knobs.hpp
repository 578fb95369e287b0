#pragma once
/// How nodes follow their knobs: a value that depends on a knob is computed at every sample while the knob
/// moves, and once while it rests.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "runtime/node.hpp"

namespace gainstage {

/// True if one of the first `count` knobs moves at the block's first frame. (No ramp starts inside a block.)
inline bool any_moving(const Block& block, int count) noexcept {
    for (int i = 0; i < count; ++i)
        if (block.param(i).moving(block.time)) return true;
    return false;
}

/// map(knob), computed again only when the knob has another value than at the last call.
template <class T = float>
class Mapped {
public:
    template <class Map>
    const T& of(float knob, Map map) noexcept {
        if (!knows(knob)) [[unlikely]]
            learn(knob, map);
        return value_;
    }

    /// True if of(knob) has nothing to compute.
    bool knows(float knob) const noexcept { return std::bit_cast<std::uint32_t>(knob) == knob_bits_; }
    /// The result of of(knob). REQUIRES: knows(knob).
    const T& value() const noexcept { return value_; }

private:
    /// A function of its own, so that the common case stays small.
    template <class Map>
    GAINSTAGE_NOINLINE void learn(float knob, Map map) noexcept {
        knob_bits_ = std::bit_cast<std::uint32_t>(knob);
        value_ = map(knob);
    }

    std::uint32_t knob_bits_ = ~std::uint32_t{0};  // bits of its value; at first a NaN that no knob has
    T value_{};
};

/// A knob that moves on a straight line on a logarithmic scale, as an ear hears frequencies: halfway between
/// 100 Hz and 10 kHz is 1 kHz. A knob that is moved again on its way continues from where it is. Values are
/// above 0.
class LogRamp {
public:
    /// Call it once a block, before at().
    void follow(const Ramp& knob) noexcept {
        if (following_ && knob.start == ramp_.start && knob.length == ramp_.length && knob.to == ramp_.to)
            return;
        log_from_ = std::log2(following_ ? at(knob.start) : knob.from);
        log_span_ = std::log2(knob.to) - log_from_;
        ramp_ = knob;
        following_ = true;
    }
    bool moving(std::uint64_t time) const noexcept { return ramp_.moving(time); }
    float at(std::uint64_t time) const noexcept {
        if (!ramp_.moving(time)) return ramp_.to;
        const float way = time <= ramp_.start
                              ? 0.f
                              : static_cast<float>(time - ramp_.start) / static_cast<float>(ramp_.length);
        return std::exp2(log_from_ + log_span_ * way);
    }

private:
    Ramp ramp_{};
    bool following_ = false;
    float log_from_ = 0.f, log_span_ = 0.f;
};

}  // namespace gainstage
