#include "runtime/realtime/midi_curve.hpp"

#include <cmath>

#include "tests/support/catch.hpp"

namespace gainstage::test::midi_curve_test {

namespace {

struct Range {
    float min, max;
};

const MidiCurve curves[] = {MidiCurve::linear, MidiCurve::log, MidiCurve::exp, MidiCurve::s};
const Range ranges[] = {{0.f, 100.f}, {20.f, 20000.f}, {20000.f, 20.f}, {-60.f, -6.f}, {-24.f, 24.f},
                        {1.f, 0.f},   {-90.f, 0.f},    {0.05f, 500.f},  {-0.1f, 0.3f}};

}  // namespace

TEST_CASE(
    "A curve's ends are those of the range, to the bit, and positions beyond them give the same values") {
    for (const MidiCurve curve : curves)
        for (const auto& [min, max] : ranges) {
            INFO("curve " << static_cast<int>(curve) << ", " << min << " to " << max);
            const MidiCurveScale scale(curve, min, max);
            CHECK(scale.value_at(0.) == min);
            CHECK(scale.value_at(1.) == max);
            CHECK(scale.value_at(-3.) == min);
            CHECK(scale.value_at(7.) == max);
            CHECK(scale.position_of(min) == 0.);
            CHECK(scale.position_of(max) == 1.);
            const float way = max - min;
            CHECK(scale.position_of(min - way) == 0.);
            CHECK(scale.position_of(max + way) == 1.);
        }
}

TEST_CASE("A curve runs one way only, and its inverse finds the position again") {
    for (const MidiCurve curve : curves)
        for (const auto& [min, max] : ranges) {
            INFO("curve " << static_cast<int>(curve) << ", " << min << " to " << max);
            const MidiCurveScale scale(curve, min, max);
            for (int k = 1; k < 1024; ++k) {
                const double x = k / 1024.;
                const float value = scale.value_at(x);
                const bool rises = value > scale.value_at((k - 1) / 1024.);
                REQUIRE(rises == (max > min));
                // Values are floats: half a unit in the last place of the larger end, at the flattest place
                // of the curve (s curve: 6x(1-x) = 0.006 at x = 1/1024; log over 0.05..500: 1/1086).
                REQUIRE(scale.position_of(value) == Approx(x).margin(1e-4));
            }
        }
}

TEST_CASE("Curves pass through the points that define them") {
    CHECK(MidiCurveScale(MidiCurve::linear, -60.f, 0.f).value_at(0.5) == Approx(-30.f));
    CHECK(MidiCurveScale(MidiCurve::log, 20.f, 20000.f).value_at(0.5) == Approx(std::sqrt(20. * 20000.)));
    CHECK(MidiCurveScale(MidiCurve::log, 20000.f, 20.f).value_at(0.5) == Approx(std::sqrt(20. * 20000.)));
    CHECK(MidiCurveScale(MidiCurve::log, -60.f, -15.f).value_at(0.5) == Approx(-30.));
    CHECK(MidiCurveScale(MidiCurve::log, 0.f, 100.f).value_at(0.5) == Approx(10.));
    CHECK(MidiCurveScale(MidiCurve::exp, 0.f, 100.f).value_at(0.5) == Approx(90.));
    CHECK(MidiCurveScale(MidiCurve::s, 0.f, 100.f).value_at(0.5) == Approx(50.));
    CHECK(MidiCurveScale(MidiCurve::s, 0.f, 100.f).value_at(0.25) == Approx(15.625));
}

TEST_CASE("A range without width and a value that is not a number have a position") {
    for (const MidiCurve curve : curves) {
        CHECK(MidiCurveScale(curve, 5.f, 5.f).position_of(5.f) == 0.);
        CHECK(MidiCurveScale(curve, 5.f, 5.f).value_at(0.5) == 5.f);
        CHECK(MidiCurveScale(curve, 1.f, 5.f).position_of(std::nanf("")) == 0.);
        CHECK(MidiCurveScale(curve, 1.f, 5.f).value_at(std::nan("")) == 1.f);
    }
}

}  // namespace gainstage::test::midi_curve_test
