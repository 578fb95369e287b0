#include "runtime/realtime/midi_curve.hpp"

#include <cmath>

namespace gainstage {

namespace {

/// 81 makes the audio taper pass through 0.1 at half a turn: (sqrt(81) - 1) / (81 - 1).
constexpr double taper = 81.;

double audio_taper(double x) noexcept {
    return (std::pow(taper, x) - 1.) / (taper - 1.);
}

double audio_taper_inverse(double y) noexcept {
    return std::log1p((taper - 1.) * y) / std::log(taper);
}

/// 0..1 -> 0..1, rising.
double bend(MidiCurve curve, double x) noexcept {
    switch (curve) {
        case MidiCurve::log:
            return audio_taper(x);
        case MidiCurve::exp:
            return 1. - audio_taper(1. - x);
        case MidiCurve::s:
            return x * x * (3. - 2. * x);
        case MidiCurve::linear:
            break;
    }
    return x;
}

double unbend(MidiCurve curve, double y) noexcept {
    switch (curve) {
        case MidiCurve::log:
            return audio_taper_inverse(y);
        case MidiCurve::exp:
            return 1. - audio_taper_inverse(1. - y);
        case MidiCurve::s:
            return 0.5 - std::sin(std::asin(1. - 2. * y) / 3.);  // the cubic's root in 0..1
        case MidiCurve::linear:
            break;
    }
    return y;
}

}  // namespace

MidiCurveScale::MidiCurveScale(MidiCurve curve, float min, float max) noexcept
    : curve_(curve), by_ratio_(curve == MidiCurve::log && min * max > 0.f), min_(min), max_(max) {}

float MidiCurveScale::value_at(double x) const noexcept GAINSTAGE_REALTIME {
    if (!(x > 0.)) return min_;
    if (x >= 1.) return max_;
    const double min = min_, max = max_;
    if (by_ratio_) return static_cast<float>(min * std::pow(max / min, x));
    return static_cast<float>(min + (max - min) * bend(curve_, x));
}

double MidiCurveScale::position_of(float value) const noexcept GAINSTAGE_REALTIME {
    const double min = min_, max = max_;
    const double way = (value - min) / (max - min);
    if (!(way > 0.)) return 0.;  // also where min == max, and for NaN
    if (way >= 1.) return 1.;
    return by_ratio_ ? std::log(value / min) / std::log(max / min) : unbend(curve_, way);
}

}  // namespace gainstage
