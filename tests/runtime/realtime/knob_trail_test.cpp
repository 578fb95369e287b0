/// The latest moves of all knobs, read by another thread than the one that makes them.

#include "runtime/realtime/knob_trail.hpp"

#include <atomic>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test::knob_trail_test {

namespace {

/// Every part of it tells its number.
KnobTrail::Move move_number(std::uint64_t number) {
    const auto k = static_cast<std::uint32_t>(number);
    return {.key = k,
            .param = static_cast<std::int32_t>(k % 7) - 1,
            .ramp = {.start = number << 20, .length = k, .from = static_cast<float>(k % 1'000), .to = -0.5f}};
}

bool is_number(const KnobTrail::Move& move, std::uint64_t number) {
    const KnobTrail::Move wanted = move_number(number);
    return move.key == wanted.key && move.param == wanted.param && move.ramp.start == wanted.ramp.start &&
           move.ramp.length == wanted.ramp.length && move.ramp.from == wanted.ramp.from &&
           move.ramp.to == wanted.ramp.to;
}

}  // namespace

TEST_CASE("a trail keeps the latest moves, and knows which it has overwritten") {
    KnobTrail trail(100);
    REQUIRE(trail.size() > 100);
    {
        const RealtimeScope scope;
        for (std::uint64_t k = 0; k < 1'000; ++k) trail.add(move_number(k));
    }
    CHECK(trail.count() == 1'000);
    KnobTrail::Move move;
    int there = 0;
    for (std::uint64_t k = 0; k < 1'000; ++k) {
        if (!trail.read(k, move)) continue;
        ++there;
        CHECK(k >= 1'000 - trail.size());
        CHECK(is_number(move, k));
    }
    CHECK(there >= 100);
}

TEST_CASE("whoever reads while moves are made gets whole moves or none") {
    KnobTrail trail(63);
    constexpr std::uint64_t moves = 200'000;
    std::atomic<bool> ready{false};
    std::thread writer([&] {
        while (!ready) std::this_thread::yield();
        for (std::uint64_t k = 0; k < moves; ++k) {
            trail.add(move_number(k));
            if (k % 64 == 0) std::this_thread::yield();
        }
    });
    std::uint64_t read = 0, torn = 0, gone = 0;
    ready = true;
    for (std::uint64_t next = 0; next < moves;) {
        const std::uint64_t count = trail.count();
        if (next >= count) {
            std::this_thread::yield();
            continue;
        }
        KnobTrail::Move move;
        if (trail.read(next, move)) {
            ++read;
            torn += !is_number(move, next);
            ++next;
        } else {
            ++gone;
            next = std::max(next + 1, trail.count() - 1);
        }
        // The place that is being overwritten, and those beside it.
        const std::uint64_t old = count - std::min(count, trail.size() + 1);
        for (std::uint64_t k = 0; old + k < count && k < 3; ++k)
            if (trail.read(old + k, move))
                torn += !is_number(move, old + k);
            else
                ++gone;
    }
    writer.join();
    INFO(read << " read, " << gone << " times too late");
    CHECK(torn == 0);
    CHECK(read > 0);
    CHECK(gone > 0);
}

}  // namespace gainstage::test::knob_trail_test
