/// The two laws by which a knob goes from one value to another.

#include <cmath>

#include "runtime/param.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::ramp_test {

TEST_CASE("a ramp by ratios has its ends exactly, and the geometric mean half way") {
    const Ramp up{.start = 100, .length = 1'000, .from = 100.f, .to = 10'000.f, .by_ratio = true};
    CHECK(up.at(0) == 100.f);
    CHECK(up.at(100) == 100.f);
    CHECK(up.at(600) == Approx(1'000.f).epsilon(1e-5));
    CHECK(up.at(1'100) == 10'000.f);
    CHECK(up.at(5'000) == 10'000.f);
    const Ramp down{.start = 100, .length = 1'000, .from = 10'000.f, .to = 100.f, .by_ratio = true};
    CHECK(down.at(350) == Approx(10'000. / std::sqrt(10.)).epsilon(1e-5));
}

TEST_CASE("a ramp by ratios never leaves the way between its ends, and never turns back") {
    for (const auto& [from, to] :
         {std::pair{10.f, 20'000.f}, {20'000.f, 10.f}, {1e-38f, 3e38f}, {0.1f, 0.1000001f}}) {
        const Ramp ramp{.length = 997, .from = from, .to = to, .by_ratio = true};
        float before = from;
        for (std::uint64_t k = 0; k <= 1'000; ++k) {
            const float now = ramp.at(k);
            REQUIRE(std::isfinite(now));
            REQUIRE(now >= std::min(from, to));
            REQUIRE(now <= std::max(from, to));
            REQUIRE((to > from ? now >= before : now <= before));
            before = now;
        }
        CHECK(ramp.at(997) == to);
    }
}

TEST_CASE("where a value has no ratio the way is straight") {
    for (const auto& [from, to] : {std::pair{0.f, 8.f}, {8.f, 0.f}, {-4.f, 4.f}, {1e-40f, 8.f}}) {
        const Ramp ramp{.length = 4, .from = from, .to = to, .by_ratio = true};
        CHECK(ramp.at(2) == from + (to - from) * 0.5f);
    }
}

TEST_CASE("frequencies and times go by ratios, levels and switches do not") {
    const auto knob = [](const char* unit, int steps = 0) {
        return ParamSpec{.name = "x", .unit = unit, .steps = steps};
    };
    CHECK(goes_by_ratio(knob("Hz")));
    CHECK(goes_by_ratio(knob("ms")));
    CHECK_FALSE(goes_by_ratio(knob("dB")));
    CHECK_FALSE(goes_by_ratio(knob("")));
    CHECK_FALSE(goes_by_ratio(knob("Hz", 3)));
}

}  // namespace gainstage::test::ramp_test
