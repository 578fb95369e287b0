#pragma once
/// How far a control is turned <-> the value that it means.

#include "runtime/nonblocking.hpp"
#include "runtime/patch/patch.hpp"

namespace gainstage {

/// A control's travel, 0..1, laid over a range of values. value_at(0) is `min` and value_at(1) is `max`,
/// exactly; min > max inverts. Named after the tapers of potentiometers:
/// - linear: equal turns, equal differences
/// - log: equal turns, equal ratios (min * (max / min)^x). A range that reaches or crosses 0 has no ratios
///   (patches may not ask for it): it gets the audio taper, a tenth of the way at half a turn
/// - exp: the reverse audio taper, nine tenths of the way at half a turn
/// - s: 3x^2 - 2x^3, fine at both ends, quick in the middle
class MidiCurveScale {
public:
    MidiCurveScale(MidiCurve curve, float min, float max) noexcept;

    /// Any thread. x outside 0..1 is the nearest end.
    float value_at(double x) const noexcept GAINSTAGE_REALTIME;
    /// The inverse: where the control would stand, 0..1. Values beyond the range stand at its nearest end.
    double position_of(float value) const noexcept GAINSTAGE_REALTIME;

    bool operator==(const MidiCurveScale&) const = default;

private:
    MidiCurve curve_;
    bool by_ratio_;  ///< `log` over a range with one sign
    float min_, max_;
};

}  // namespace gainstage
