#include "runtime/number_text.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::number_text_test {

TEST_CASE("numbers for people have the digits that matter and no exponent") {
    CHECK(number_text(-3.) == "-3");
    CHECK(number_text(0.) == "0");
    CHECK(number_text(0.70710678) == "0.7071068");
    CHECK(number_text(48'000.) == "48000");
    CHECK(number_text(12'345'678'901.) == "12345678901");
    CHECK(number_text(0.000012) == "0.000012");
    CHECK(number_text(106.7, 2) == "107");
    CHECK(number_text(99.96, 2) == "100");
    CHECK(number_text(0.6667, 2) == "0.67");
    CHECK(number_text(1.5, 2) == "1.5");
    CHECK(number_text(2.04, 2) == "2");
    CHECK(number_text(-1e-30) == "0");
}

}  // namespace gainstage::test::number_text_test
