/// What queues drop, and between which samples.

#include "runtime/control/loss_watch.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::loss_watch_test {

using namespace std::chrono_literals;

TEST_CASE(
    "a loss lies between the looks around it, is told at once, then once a second, and whole at the end") {
    std::uint64_t now = 1'000, midi = 5, frames = 0;
    LossWatch watch([&] { return now; }, [] { return 64u; });
    watch.add(Loss::Kind::midi, [&] { return midi; });
    watch.add(Loss::Kind::frames, [&] { return frames; });
    const LossWatch::Clock::time_point begin{};

    // Before the first look all is unknown.
    REQUIRE(watch.look(begin).size() == 1);
    now = 2'000;
    CHECK(watch.look(begin + 2s).empty());
    now = 3'000;
    midi = 8;
    frames = 100;
    const std::vector<Loss> first = watch.look(begin + 3s);
    REQUIRE(first.size() == 2);
    CHECK(first[0] == Loss{.kind = Loss::Kind::midi, .from = 2'000, .to = 3'064, .count = 3});
    CHECK(first[1] == Loss{.kind = Loss::Kind::frames, .from = 2'000, .to = 3'064, .count = 100});

    now = 4'000;
    midi = 10;
    CHECK(watch.look(begin + 3s + 500ms).empty());
    now = 5'000;
    midi = 20;
    CHECK(watch.look(begin + 3s + 900ms).empty());
    now = 6'000;
    const std::vector<Loss> second = watch.look(begin + 4s);
    REQUIRE(second.size() == 1);
    CHECK(second[0] == Loss{.kind = Loss::Kind::midi, .from = 3'000, .to = 5'064, .count = 12});

    now = 7'000;
    frames = 101;
    midi = 21;
    CHECK(watch.look(begin + 4s + 1ms).size() == 1);  // the frames were told more than a second ago
    const std::vector<Loss> last = watch.look(begin + 4s + 2ms, true);
    REQUIRE(last.size() == 1);
    CHECK(last[0] == Loss{.kind = Loss::Kind::midi, .from = 6'000, .to = 7'064, .count = 1});
    CHECK(watch.look(begin + 9s, true).empty());
}

}  // namespace gainstage::test::loss_watch_test
