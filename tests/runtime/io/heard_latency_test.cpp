#include "runtime/io/heard_latency.hpp"

#include "runtime/io/null_device.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::heard_latency_test {

TEST_CASE("latency: patch, period and driver, as a player hears them") {
    AudioFormat format{.rate_hz = 48'000, .block_frames = 128, .latency_frames = 384};
    // The driver's 384 samples hold the block itself.
    CHECK(text_of(heard_latency(format, 64)) == "9.3 ms: patch 1.3, period 2.7, driver 5.3");
    CHECK(heard_latency(format, 64).total_ms() == Approx(1000. * 448 / 48'000));
    SECTION("an API that adds a block of its own is counted") {
        format.hidden_frames = 128;
        CHECK(text_of(heard_latency(format, 64)) == "12.0 ms: patch 1.3, period 5.3, driver 5.3");
    }
    SECTION("a driver that says nothing is unknown, not fast") {
        format.latency_frames = 0;
        CHECK(text_of(heard_latency(format, 0)) == "at least 2.7 ms: patch 0.0, period 2.7, driver unknown");
    }
    SECTION("a driver that says less than a block has no latency of its own") {
        format.latency_frames = 100;
        CHECK(text_of(heard_latency(format, 0)) == "2.7 ms: patch 0.0, period 2.7, driver 0.0");
    }
    SECTION("no device, no driver") {
        const NullDevice null({.in_channels = 1, .rate_hz = 96'000, .block_frames = 64});
        CHECK(text_of(heard_latency(null.format(), 96)) == "1.7 ms: patch 1.0, period 0.7, driver 0.0");
    }
}

}  // namespace gainstage::test::heard_latency_test
