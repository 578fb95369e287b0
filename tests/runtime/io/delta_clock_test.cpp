#include "runtime/io/delta_clock.hpp"

#include <algorithm>
#include <limits>
#include <random>

#include "tests/support/catch.hpp"

namespace gainstage::test::delta_clock_test {

namespace {

constexpr std::int64_t ms = 1'000'000, start = 77 * ms;

}  // namespace

TEST_CASE("messages that are handed over late get the times at which they arrived") {
    DeltaClock clock;
    std::mt19937 random(3);
    std::uniform_int_distribution<std::int64_t> late(0, ms);
    std::int64_t arrived = start, worst = 0, last = 0;
    for (int k = 0; k < 5'000; ++k) {
        const std::int64_t apart = k == 0 ? 0 : 3 * ms + k % 7 * 100'000;
        arrived += apart;
        const std::int64_t now = arrived + late(random);
        const std::int64_t stamp = clock.arrival_ns(static_cast<double>(apart) * 1e-9, now);
        CHECK(stamp <= now);
        CHECK(stamp >= last);
        last = stamp;
        if (k > 100) worst = std::max(worst, std::abs(stamp - arrived));
    }
    CHECK(worst < ms / 10);  // five samples
}

TEST_CASE("a library's clock that runs fast or slow is followed") {
    const double ppm = GENERATE(-60., 60.);
    DeltaClock clock;
    std::int64_t arrived = start, worst = 0;
    for (int k = 0; k < 20'000; ++k) {
        if (k > 0) arrived += 10 * ms;
        const std::int64_t stamp = clock.arrival_ns(k == 0 ? 0. : 0.01 * (1. + ppm * 1e-6), arrived);
        worst = std::max(worst, std::abs(stamp - arrived));
    }
    CHECK(worst < 10'000);
}

TEST_CASE("a library's clock that jumps begins anew, and no stamp is ahead of the present") {
    const double jump = GENERATE(0., -5., 3'600., std::numeric_limits<double>::quiet_NaN(),
                                 std::numeric_limits<double>::infinity());
    DeltaClock clock;
    std::int64_t now = start;
    for (int k = 0; k < 100; ++k) clock.arrival_ns(k == 0 ? 0. : 0.01, now += 10 * ms);
    now += 1'000 * ms;  // of which the library says something else
    const std::int64_t first = clock.arrival_ns(jump, now);
    CHECK(first <= now);
    CHECK(first >= now - 250 * ms);
    for (int k = 0; k < 100; ++k) {
        const std::int64_t stamp = clock.arrival_ns(0.01, now += 10 * ms);
        CHECK(stamp <= now);
        CHECK(stamp >= now - 1 * ms);
    }
}

}  // namespace gainstage::test::delta_clock_test
