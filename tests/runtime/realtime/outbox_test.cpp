/// What was applied reaches the log whole, or the log knows what it lacks.

#include "runtime/realtime/outbox.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test::outbox_test {

namespace {

LogEntry at(std::uint64_t stamp) {
    return {Event{.kind = EventKind::panic}, stamp};
}

/// "3, 4, lost 5..9 (5), 12"
std::string all(Outbox& outbox) {
    std::string text;
    for (LogEntry entry; outbox.take(entry);) {
        if (!text.empty()) text += ", ";
        const LogHole hole = entry.is_hole() ? entry.hole() : LogHole{};
        text += entry.is_hole() ? "lost " + std::to_string(hole.from) + ".." + std::to_string(hole.to) +
                                      " (" + std::to_string(hole.count) + ")"
                                : std::to_string(entry.stamp());
    }
    return text;
}

void log(Outbox& outbox, std::uint64_t first, std::uint64_t last) {
    const RealtimeScope scope;
    for (std::uint64_t stamp = first; stamp <= last; ++stamp) outbox.log(at(stamp));
}

void settle(Outbox& outbox) {
    const RealtimeScope scope;
    outbox.settle();
}

}  // namespace

TEST_CASE("an entry of 24 bytes holds all that a log says of an event") {
    const Event events[] = {
        {.kind = EventKind::midi, .port = 255, .midi = {.size = 3, .bytes = {0xef, 127, 1}}},
        {.kind = EventKind::midi, .port = 1, .midi = {.size = 2, .bytes = {0xc0, 5, 0}}},
        {.kind = EventKind::knob, .key = 0xfffffffe, .param = 65'535, .value = -1e-30f, .smooth_ms = 20.f},
        {.kind = EventKind::knob, .key = 7, .param = 0, .value = 3.f, .smooth_ms = -1.f},
        {.kind = EventKind::master, .param = 2, .value = 1.f, .smooth_ms = 20.f},
        {.kind = EventKind::panic},
        {.kind = EventKind::fade_out, .value = 50.f}};
    for (const Event& event : events) {
        const std::uint64_t now = 0x123456789abc;
        const LogEntry entry(event, now);
        CHECK_FALSE(entry.is_hole());
        CHECK(entry.stamp() == now);
        const Event told = entry.event();
        CHECK(told.kind == event.kind);
        CHECK(told.port == event.port);
        CHECK(told.midi == event.midi);
        CHECK(told.key == event.key);
        CHECK(told.param == event.param);
        CHECK(told.value == event.value);
        CHECK(told.smooth_ms == event.smooth_ms);
        CHECK(told.stamp == now);
    }
    const LogHole hole{.from = 0xfedcba987654, .to = 0xfedcba987655, .count = 12'343};
    const LogEntry entry(hole);
    REQUIRE(entry.is_hole());
    CHECK(entry.hole().from == hole.from);
    CHECK(entry.hole().to == hole.to);
    CHECK(entry.hole().count == hole.count);
    CHECK(LogEntry(LogHole{.from = 1, .to = 2, .count = std::uint64_t{1} << 40}).hole().count == 0xffffffff);
}

TEST_CASE("a full queue drops entries, and says which in their place as soon as there is room") {
    Outbox outbox(4, 4);
    log(outbox, 1, 9);
    settle(outbox);
    CHECK(outbox.entries_lost() == 5);
    CHECK(outbox.hole_at_the_end().count == 5);
    SECTION("after the next block") {
        CHECK(all(outbox) == "1, 2, 3, 4");
        settle(outbox);
        CHECK(all(outbox) == "lost 5..9 (5)");
        log(outbox, 10, 11);
        CHECK(all(outbox) == "10, 11");
    }
    SECTION("before the next entry") {
        CHECK(all(outbox) == "1, 2, 3, 4");
        log(outbox, 10, 11);
        CHECK(all(outbox) == "lost 5..9 (5), 10, 11");
    }
    SECTION("with room for the hole alone") {
        LogEntry first;
        REQUIRE(outbox.take(first));
        log(outbox, 10, 12);
        CHECK(all(outbox) == "2, 3, 4, lost 5..9 (5)");
        log(outbox, 13, 13);
        CHECK(all(outbox) == "lost 10..12 (3), 13");
        CHECK(outbox.entries_lost() == 8);
    }
    CHECK(outbox.hole_at_the_end().count == 0);
}

TEST_CASE("a queue of none drops everything, and knows it at the end") {
    Outbox outbox(0, 0);
    log(outbox, 3, 8);
    {
        const RealtimeScope scope;
        outbox.tell({.stamp = 3});
    }
    settle(outbox);
    CHECK(outbox.next_entry() == Outbox::never);
    CHECK(outbox.next_report() == Outbox::never);
    CHECK(all(outbox) == "");
    CHECK(outbox.entries_lost() == 6);
    CHECK(outbox.reports_lost() == 1);
    CHECK(outbox.hole_at_the_end().from == 3);
    CHECK(outbox.hole_at_the_end().to == 8);
}

}  // namespace gainstage::test::outbox_test
