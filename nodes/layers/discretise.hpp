#pragma once
/// Turns a continuous-time mode into a recurrence at any sample rate.

#include <cmath>
#include <complex>

#include "nodes/layers/diagonal_ssm.hpp"

namespace gainstage {

/// x' = a x + b u, y = Re c x, in a unit of time of which a sample at the training rate takes `dt`.
struct ContinuousMode {
    std::complex<double> a, b, c;
    double dt;
};

enum class Discretisation { zoh, bilinear };

/// e^z - 1 at full precision for small z, which poles with a long memory have.
inline std::complex<double> expm1(std::complex<double> z) {
    const double half_sine = std::sin(0.5 * z.imag());
    return {std::expm1(z.real()) * std::cos(z.imag()) - 2. * half_sine * half_sine,
            std::exp(z.real()) * std::sin(z.imag())};
}

/// The recurrence s = pole s + u, y = 2 Re weight s. `step`: samples of the training rate per sample of ours.
///
/// Zero-order hold (Gu et al. 2022, eq. 3): pole = e^(dt a step), input b (pole - 1) / a, exact at every
/// rate. Bilinear, at the training rate: pole = (1 + dt a / 2) / (1 - dt a / 2), input b dt / (1 - dt a / 2).
/// At other rates it takes the continuous mode that a zero-order hold at the training rate would turn into
/// that same recurrence: pole^step, with the same resting value -b / a.
inline SsmMode discretised(const ContinuousMode& mode, Discretisation method, double step) {
    const std::complex<double> z = mode.dt * mode.a;
    if (method == Discretisation::bilinear && step == 1.) {
        const std::complex<double> below = 1. - 0.5 * z;
        return {(1. + 0.5 * z) / below, mode.c * mode.b * mode.dt / below};
    }
    const std::complex<double> log_pole =
        step * (method == Discretisation::zoh ? z : 2. * std::atanh(0.5 * z));
    return {std::exp(log_pole), mode.c * mode.b * expm1(log_pole) / mode.a};
}

}  // namespace gainstage
