#pragma once
/// First-order antiderivative antialiasing: J. Parker, V. Zavalishin, E. Le Bivic, "Reducing the aliasing of
/// nonlinear waveshaping using continuous-time convolution", DAFx-16.

#include <cmath>

namespace gainstage {

/// Applies the shape to the straight line between neighbouring samples and takes the mean along it. A shape
/// that changes nothing gives (x[n] + x[n-1]) / 2: half a sample late, and duller towards half the rate.
class Adaa {
public:
    /// Sets the state as if the input had always been x.
    template <class Shape>
    void settle(double x) noexcept {
        x_ = x, integral_ = Shape::integral(x);
    }

    template <class Shape>
    double tick(double x) noexcept {
        const double before = x_, integral_before = integral_;
        x_ = x, integral_ = Shape::integral(x);
        if (is_small(x - before)) return Shape::value(0.5 * (x + before));
        return (integral_ - integral_before) / (x - before);
    }

    /// What tick(to) returns, to the bit, if the sample before was `from`.
    template <class Shape>
    static double mean(double from, double to) noexcept {
        if (is_small(to - from)) return Shape::value(0.5 * (to + from));
        return (Shape::integral(to) - Shape::integral(from)) / (to - from);
    }

private:
    /// For a smaller step the difference of the integrals is lost in rounding, while the value at the middle
    /// is off by step^2 / 24 only.
    static bool is_small(double step) noexcept { return std::abs(step) < 1e-4; }

    double x_ = 0., integral_ = 0.;
};

}  // namespace gainstage
