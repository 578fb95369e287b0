#pragma once
/// Sixteen samples side by side: the unit of elementwise maths over sound.

#include <Eigen/Core>
#include <array>

namespace gainstage {

/// The size is fixed, so that every element takes the same (packet) path. Eigen treats the remainder of a
/// longer array by other formulas, and the output would depend on how the stream is cut into blocks.
inline constexpr int lane_count = 16;
using Lanes = Eigen::Array<float, lane_count, 1>;

/// 0, 1, 2 ... 15
inline const Lanes lane_numbers = Lanes::LinSpaced(0.f, static_cast<float>(lane_count - 1));

/// A short stretch of samples in whole lanes. The frames beyond those in use hold finite numbers.
template <int Frames>
struct Tile {
    static_assert(Frames % lane_count == 0);
    static constexpr int frames = Frames;

    alignas(64) std::array<float, Frames> data{};

    float* begin() noexcept { return data.data(); }
    const float* begin() const noexcept { return data.data(); }
    Eigen::Map<Lanes, Eigen::Aligned64> lanes(int first) noexcept {
        return Eigen::Map<Lanes, Eigen::Aligned64>(data.data() + first);
    }
};

}  // namespace gainstage
