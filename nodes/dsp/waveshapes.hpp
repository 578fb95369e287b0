#pragma once
/// Curves for saturation with their antiderivatives, which antialiasing needs. All pass the origin with slope
/// 1; each antiderivative is 0 there.

#include <cmath>
#include <numbers>

namespace gainstage {

/// Smooth and symmetric: odd harmonics that come in gently.
struct TanhShape {
    static double value(double x) noexcept { return std::tanh(x); }
    static double integral(double x) noexcept {  // log cosh x, without its overflow
        const double size = std::abs(x);
        return size + std::log1p(std::exp(-2. * size)) - std::numbers::ln2;
    }
};

/// x - 4/27 x^3, flat from +-1.5 on: only a third harmonic until it clips.
struct CubicShape {
    static double value(double x) noexcept {
        return std::abs(x) >= 1.5 ? std::copysign(1., x) : x - 4. / 27. * x * x * x;
    }
    static double integral(double x) noexcept {
        return std::abs(x) >= 1.5 ? std::abs(x) - 0.5625 : x * x * (0.5 - x * x / 27.);
    }
};

/// A wall at +-1.
struct HardClipShape {
    static double value(double x) noexcept { return std::abs(x) >= 1. ? std::copysign(1., x) : x; }
    static double integral(double x) noexcept { return std::abs(x) >= 1. ? std::abs(x) - 0.5 : 0.5 * x * x; }
};

/// 1 - e^-x above, tanh below: bends early on one side, so even harmonics come first, as from a triode.
struct AsymmetricShape {
    static double value(double x) noexcept { return x >= 0. ? -std::expm1(-x) : std::tanh(x); }
    static double integral(double x) noexcept {
        return x >= 0. ? x + std::expm1(-x) : TanhShape::integral(x);
    }
};

/// sin x: folds back instead of clipping, brighter and hollower the harder it is driven.
struct FoldShape {
    static double value(double x) noexcept { return std::sin(x); }
    static double integral(double x) noexcept { return 1. - std::cos(x); }
};

}  // namespace gainstage
