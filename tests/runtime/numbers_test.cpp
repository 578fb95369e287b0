/// Numbers that somebody else wrote.

#include "runtime/numbers.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::numbers_test {

namespace {
constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
}  // namespace

TEST_CASE("a number becomes a whole one if it is one and lies in the range; nothing is cut off") {
    CHECK(whole_between(std::int64_t{300}, 0, 300) == 300);
    CHECK_FALSE(whole_between<std::uint8_t>(std::int64_t{300}, 0, 255));
    CHECK_FALSE(whole_between(std::int64_t{4294967297}, 0, 1));
    CHECK_FALSE(whole_between(std::uint64_t{18446744073709551615u}, -1, 1));
    CHECK_FALSE(whole_between(std::int64_t{-1}, 0u, 7u));
    CHECK(whole_between(16., 1, 16) == 16);
    CHECK(whole_between(-0., 0, 1) == 0);
    for (const double bad : {1.9, 0.999999, 17., 1e308, -1e308, infinite, -infinite, no_number, 4294967297.})
        CHECK_FALSE(whole_between(bad, 1, 16));
    CHECK(whole_between(9007199254740992., std::int64_t{0}, std::numeric_limits<std::int64_t>::max()) ==
          9007199254740992);
    // From there on a double may stand for another number than the one that was written.
    CHECK_FALSE(
        whole_between(9223372036854775808., std::int64_t{0}, std::numeric_limits<std::int64_t>::max()));
    CHECK_FALSE(whole_between(std::optional<double>(), 0, 1));
    CHECK(whole_between(std::optional<std::uint64_t>(1), 0, 1) == 1);
}

TEST_CASE("a number of ours that grows without bound stays within its range") {
    CHECK(whole_within(2.5, 0, 9) == 3);
    CHECK(whole_within(1e308, 0, 9) == 9);
    CHECK(whole_within(infinite, 0, 9) == 9);
    CHECK(whole_within(-infinite, 0, 9) == 0);
    CHECK(whole_within(no_number, 1, 9) == 1);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    CHECK(whole_within(1e19, std::int64_t{0}, most) == most);
}

TEST_CASE("a double becomes a float if one is near") {
    CHECK(as_float(0.1) == 0.1f);
    CHECK(as_float(3.4e38) == 3.4e38f);
    CHECK_FALSE(as_float(1e39));
    CHECK_FALSE(as_float(infinite));
    CHECK_FALSE(as_float(no_number));
}

TEST_CASE("a text is a number if all of it is") {
    CHECK(text_as_whole("-12") == -12);
    for (const char* bad : {"", "1.5", " 1", "1 ", "9223372036854775808", "0x10", "one"})
        CHECK_FALSE(text_as_whole(bad));
    CHECK(text_as_number("-1.5e3") == -1500.);
    for (const char* bad : {"", "nan", "inf", "1e999", " 1", "1,5", "1.5x"}) CHECK_FALSE(text_as_number(bad));
}

}  // namespace gainstage::test::numbers_test
