/// Which parts of a graph may run in parallel, and when workers poll for them.

#include "runtime/plan/compile/branches.hpp"

#include <random>

#include "runtime/realtime/pace.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::branches_test {

namespace {

constexpr double dear = 100., cheap = 1.;

Unit unit(std::vector<int> sources, double ns = dear) {
    return {.sources = std::move(sources), .ns = ns};
}
Unit device(std::vector<int> sources) {
    return {.sources = std::move(sources), .ns = cheap, .stays = true};
}

int shared_parts(const Branches& branches) {
    return static_cast<int>(
        std::count_if(branches.list.begin(), branches.list.end(), [](const Branch& b) { return b.anyone; }));
}

/// "" if every unit is in one branch, no branch comes before one that it needs, and all cables between
/// branches are among the needs. Else the fault.
std::string fault_of(const Branches& branches, const std::vector<Unit>& units) {
    std::vector<int> home(units.size(), -1);
    for (std::size_t b = 0; b < branches.list.size(); ++b)
        for (const int u : branches.list[b].units) {
            if (home[u] >= 0) return "a unit is in two branches";
            home[u] = static_cast<int>(b);
        }
    for (std::size_t u = 0; u < units.size(); ++u) {
        if (home[u] < 0) return "a unit is missing";
        if (units[u].stays && branches.list[home[u]].anyone)
            return "a unit with a device channel may be run by anyone";
        for (const int source : units[u].sources) {
            const int theirs = home[source];
            if (theirs > home[u]) return "a branch comes before what feeds it";
            if (theirs < home[u] && !(branches.list[home[u]].needs & task_bit(theirs)))
                return "a cable is missing among the needs";
        }
    }
    for (std::size_t b = 0; b < branches.list.size(); ++b)
        if (branches.list[b].needs >= task_bit(static_cast<int>(b))) return "a branch needs a later one";
    return branches.list.size() > max_tasks ? "too many" : "";
}

}  // namespace

TEST_CASE("two expensive parallel chains become branches, together with their cheap units") {
    const std::vector<Unit> units{device({}), unit({0}, cheap), unit({1}),
                                  unit({0}),  unit({3}, cheap), device({2, 4})};
    const Branches found = find_branches(units, 50.);
    REQUIRE(found.list.size() == 4);
    CHECK(fault_of(found, units) == "");
    CHECK(found.list[1].units == std::vector<int>{1, 2});
    CHECK(found.list[2].units == std::vector<int>{3, 4});
    CHECK(found.list[1].needs == task_bit(0));
    CHECK(found.list[3].needs == (task_bit(1) | task_bit(2)));
    CHECK(found.second_ns == dear + cheap);
}

TEST_CASE("a chain without an expensive one parallel to it is not shared") {
    CHECK(find_branches({device({}), unit({0}), unit({1}), device({2})}, 50.).list.empty());
    CHECK(find_branches({device({}), unit({0}), unit({0}, cheap), device({1, 2})}, 50.).list.empty());
    CHECK(find_branches({device({}), unit({0}, cheap), unit({0}, cheap), device({1, 2})}, 50.).list.empty());
    // expensive, but one after the other, with a tap in between
    CHECK(find_branches({device({}), unit({0}), unit({1}, cheap), unit({1, 2}), device({3})}, 50.)
              .list.empty());
}

TEST_CASE("expensive chains that begin where others end wait for them") {
    const std::vector<Unit> units{device({}),   unit({0}),    unit({0}),
                                  unit({1, 2}), unit({1, 2}), device({3, 4})};
    const Branches found = find_branches(units, 50.);
    CHECK(fault_of(found, units) == "");
    CHECK(shared_parts(found) == 4);
}

TEST_CASE("any graph is cut into parts that keep its order, and never into too many") {
    std::mt19937 random(5);
    int shared = 0, most = 0;
    for (int round = 0; round < 3'000; ++round) {
        const int size = 2 + static_cast<int>(random() % (round % 50 == 0 ? 400 : 30));
        std::vector<Unit> units;
        for (int u = 0; u < size; ++u) {
            Unit one{.sources = {}, .ns = random() % 2 ? dear : cheap, .stays = random() % 8 == 0};
            const int reach = 1 + static_cast<int>(random() % 40);
            for (int k = 0; u > 0 && k < static_cast<int>(random() % 4); ++k)
                one.sources.push_back(u - 1 -
                                      static_cast<int>(random() % static_cast<unsigned>(std::min(u, reach))));
            units.push_back(one);
        }
        const Branches found = find_branches(units, round % 3 ? 50. : 0.);
        if (found.list.empty()) continue;
        const std::string fault = fault_of(found, units);
        if (!fault.empty()) FAIL(fault << " in round " << round);
        shared += shared_parts(found) > 1;
        most = std::max(most, static_cast<int>(found.list.size()));
    }
    CHECK(shared > 1'000);
    CHECK(most > 20);
}

TEST_CASE(
    "a worker polls for at most seven eighths of a period, and not at all when the stream stands still") {
    const Pace pace{.period = 1'000, .ms = 750};
    for (const int playing_until : {0, 200, 500, 900, 1'000}) {
        int looks = 0;
        for (std::uint64_t now = 0; now < 1'000; ++now)
            looks += pace.nap(5'000 + now, 5'000, now < static_cast<std::uint64_t>(playing_until)) == 0;
        INFO("playing for " << playing_until);
        CHECK(looks >= 250);  // before the next block
        CHECK(looks <= 875);
    }
    for (std::uint64_t since = 1'000; since < 8'000; since += 1'000) {  // the block is late
        int looks = 0;
        for (std::uint64_t now = 0; now < 1'000; ++now)
            looks += pace.nap(5'000 + since + now, 5'000, false) == 0;
        CHECK(looks == 500);
    }
    CHECK(pace.nap(5'000 + 8'000, 5'000, false) >= 7'500);
    CHECK(pace.nap(4'000, 5'000, true) == 0);  // the clocks of two cores may differ
    // It wakes when polling begins, a quarter of a period before the next block.
    CHECK(pace.nap(5'000 + 600, 5'000, false) == 150);
}

}  // namespace gainstage::test::branches_test
