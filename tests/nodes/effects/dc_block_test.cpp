#include "nodes/effects/dc_block.hpp"

#include <cmath>

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::dc_block_test {

namespace {

double gain_at(double hz, float cutoff_hz, double rate_hz) {
    const int second = static_cast<int>(rate_hz);
    const Channel in = sine(4 * second, hz, rate_hz, 0.5);
    NodeRunner block(DcBlock::type(), {.sample_rate_hz = rate_hz, .params = {{"cutoff_hz", cutoff_hz}}});
    const Channel out = block.run(mono(in))[0];
    return gain_db_at(part(in, 2 * second), part(out, 2 * second), hz, rate_hz);
}

}  // namespace

TEST_CASE("dc_block: 3 dB down at the cutoff, 6 dB per octave below it, flat above it, at any rate") {
    const double rate_hz = GENERATE(44'100., 48'000., 96'000.);
    for (const float cutoff : {5.f, 10.f, 100.f}) {
        // first order: |H|^2 = 1 / (1 + (fc / f)^2); the trapezoidal rule's warping is below 0.001 dB down
        // here
        for (const double ratio : {0.25, 0.5, 1., 2., 10.}) {
            const double theory = -10. * std::log10(1. + 1. / (ratio * ratio));
            CHECK(gain_at(cutoff * ratio, cutoff, rate_hz) == Approx(theory).margin(0.005));
        }
        CHECK(gain_at(10'000., cutoff, rate_hz) == Approx(0.).margin(0.001));
    }
}

TEST_CASE("dc_block: a constant is 80 dB down after memory_samples, even at the lowest cutoff") {
    NodeRunner block(DcBlock::type(), {.sample_rate_hz = 96'000., .params = {{"cutoff_hz", 1.f}}});
    const int memory = static_cast<int>(block.node().memory_samples());
    const Channel out = block.run(mono(constant(4 * memory, 1.f)))[0];
    CHECK(to_db(out[memory]) == Approx(-80.).margin(0.1));
    CHECK(to_db(std::abs(out.back())) < -140.);
}

TEST_CASE("dc_block: a sweep of its cutoff does not click") {
    NodeRunner block(DcBlock::type());
    const Channel tone = sine(20'000, 440., 48'000.);
    const Channel out = block.run(mono(tone), {64}, {{10'000, "cutoff_hz", 100.f}})[0];
    CHECK(max_second_difference(part(out, 9000)) < 1.1 * max_second_difference(tone));
}

}  // namespace gainstage::test::dc_block_test
