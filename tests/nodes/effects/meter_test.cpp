#include "nodes/effects/meter.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::meter_test {

namespace {
constexpr double rate_hz = 48'000.;
const Sound tone = mono(sine(3 * 48'000, 1000., rate_hz, 0.5));
}  // namespace

TEST_CASE("meter: the sound passes bit for bit") {
    NodeRunner meter(Meter::type(), {.channels = 2});
    const Sound noise = stereo(white_noise(1000, 1), white_noise(1000, 2));
    CHECK(bit_difference(meter.run(noise), noise).empty());
}

TEST_CASE("meter: shows the peak and the RMS of a tone, of mono and stereo alike") {
    const int channels = GENERATE(1, 2);
    NodeRunner meter(Meter::type(), {.channels = channels});
    meter.run(tone);
    CHECK(meter.reading("peak_dbfs") == Approx(-6.02).margin(0.01));
    // settled after ten time constants; the ripple of a 300 ms window at 2 kHz is below 0.01 dB
    CHECK(meter.reading("rms_dbfs") == Approx(-9.03).margin(0.02));
    CHECK(meter.reading("gain_reduction_db") == 0.f);
}

TEST_CASE("meter: the peak falls 20 dB per second, the RMS power to 1/e in 300 ms") {
    NodeRunner meter(Meter::type());
    meter.run(tone);
    meter.run(mono(silence(static_cast<int>(0.3 * rate_hz))));
    CHECK(meter.reading("peak_dbfs") == Approx(-6.02 - 6.).margin(0.05));
    CHECK(meter.reading("rms_dbfs") == Approx(-9.03 - 4.343).margin(0.05));
    meter.run(mono(silence(static_cast<int>(20 * rate_hz))));
    CHECK(meter.reading("peak_dbfs") == -144.f);
    CHECK(meter.reading("rms_dbfs") == -144.f);
}

TEST_CASE("meter: gain reduction is how far the sound lies below its reference, mono or stereo") {
    const int reference_channels = GENERATE(1, 2);
    NodeRunner meter(Meter::type(), {.channels = 2, .input_channels = {2, reference_channels}});
    const Sound before = mono(sine(3 * 48'000, 1000., rate_hz, 1.));
    meter.run(Ports{tone, before});
    CHECK(meter.reading("gain_reduction_db") == Approx(6.02).margin(0.02));
    meter.run(Ports{mono(silence(10 * 48'000)), mono(silence(10 * 48'000))});
    CHECK(meter.reading("gain_reduction_db") == 0.f);  // silence against silence: no reduction
}

}  // namespace gainstage::test::meter_test
