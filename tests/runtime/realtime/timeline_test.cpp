/// Events in the order of the stream.

#include <chrono>
#include <random>

#include "runtime/realtime/timeline.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test::timeline_test {

TEST_CASE("events come by stamp, those of one stamp in the order in which they were added") {
    Timeline timeline;
    std::mt19937 random(5);
    for (std::uint32_t k = 0; k < 1'000; ++k) {
        const RealtimeScope scope;
        REQUIRE(timeline.add({.knob = k, .stamp = random() % 50}));
    }
    Event last{.stamp = 0};
    for (int k = 0; k < 1'000; ++k) {
        CHECK(timeline.next() >= last.stamp);
        const std::uint64_t next = timeline.next();
        const Event event = timeline.take();
        REQUIRE(event.stamp == next);
        if (k > 0 && event.stamp == last.stamp) REQUIRE(event.knob > last.knob);
        last = event;
    }
    CHECK(timeline.next() == Timeline::never);
}

TEST_CASE("a full timeline refuses an event and keeps the others") {
    constexpr int most = 4'096;
    Timeline timeline(most);
    for (int k = 0; k < most; ++k) REQUIRE(timeline.add({.stamp = 7}));
    CHECK(timeline.is_full());
    CHECK_FALSE(timeline.add({.stamp = 1}));
    CHECK(timeline.next() == 7);
    timeline.take();
    CHECK(timeline.add({.stamp = 1}));
    CHECK(timeline.next() == 1);
}

TEST_CASE("a flood of events that wait for their samples comes in order, and in a time that grows with it") {
    constexpr int most = QueueSizes::for_stage(true).due;
    Timeline timeline(most);
    std::mt19937 random(7);
    const auto begin = std::chrono::steady_clock::now();
    {
        const RealtimeScope scope;
        for (std::uint32_t k = 0; k < most; ++k)
            timeline.add({.knob = k, .stamp = k % 3 == 0 ? random() % 480'000 : 4 * k});
    }
    CHECK(timeline.is_full());
    Event last{.stamp = 0};
    int disordered = 0;
    for (int k = 0; k < most; ++k) {
        const Event event = timeline.take();
        disordered += event.stamp < last.stamp || (event.stamp == last.stamp && event.knob < last.knob);
        last = event;
    }
    CHECK(disordered == 0);
    // 0.05 s here; a list that is searched from one end takes a minute.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

}  // namespace gainstage::test::timeline_test
