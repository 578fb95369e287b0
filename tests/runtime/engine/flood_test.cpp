/// What the engine acts on is state: a queue of reports that is full at the wrong moment costs nothing but
/// reports.

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/short_take.hpp"
#include "tests/support/test_nodes.hpp"

namespace gainstage::test::flood_test {

namespace {

using Kind = EngineNews::Kind;

std::string with_bomb(int at, const std::string& more = "") {
    return patch(
        "\"in -> a -> bomb -> out\"",
        gain("a", -3.) + node("bomb", "bomb", fmt::format("at = {}\nwhat = \"stuck_nan\"\n{}", at, more)));
}

}  // namespace

TEST_CASE("a node that trips while the queue of reports is full returns, and the log is complete") {
    ShortTake take(with_bomb(1'000));
    take.turns(10);
    take.fill_reports("a.gain_db");
    REQUIRE(take.now() < 1'000);
    take.blocks(40);  // it trips; nobody looks
    CHECK(take.engine().counts().trips == 0);
    take.turns(200);
    REQUIRE(take.last(Kind::tripped));
    CHECK(take.last(Kind::tripped)->stamp == 1'000);
    REQUIRE(take.last(Kind::returned));
    CHECK(take.engine().ward().patients().empty());
    CHECK(take.engine().room().reports_lost() == 0);
    CHECK(all_finite({take.out()}));
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("a node that latches while thousands of reports are lost is known to be latched") {
    ShortTake take(with_bomb(1'000, "every = 10000"));
    take.turns(400);  // 25,600 samples: 1,000, 11,000 and 21,000
    REQUIRE(take.last(Kind::latched));
    take.order(with_bomb(1'000, "every = 20000"));  // comes back, and trips at 41,000, 61,000, 81,000
    for (int k = 0; k < 3; ++k) {
        while (take.now() < 40'000u + 20'000u * static_cast<unsigned>(k)) take.turns(1);
        take.fill_reports("a.gain_db");
        for (int more = 0; more < 4'096; ++more) take.set("a.gain_db", -1.f, 0.f);
        take.blocks(40);
        take.turns(1);
    }
    take.turns(200);
    CHECK(take.engine().room().reports_lost() > 3 * 4'096);
    CHECK(take.engine().counts().trips == 6);
    CHECK(take.last(Kind::latched)->stamp == 81'000);
    CHECK(take.engine().ward().patients().size() == 1);
}

TEST_CASE("a fade that begins and ends while the queue of reports is full is told with its samples") {
    ShortTake take(with_bomb(900'000));
    take.turns(10);
    take.fill_reports("a.gain_db");
    take.order(patch("\"in -> b -> out\"", gain("b", -9.)));
    take.fill_reports("b.gain_db");
    const std::uint64_t armed = take.now();
    take.blocks(40);
    take.turns(10);
    CHECK_FALSE(take.engine().changing());
    REQUIRE(take.last(Kind::finished));
    CHECK(take.last(Kind::finished)->stamp == take.last(Kind::started)->stamp + 1'200);
    CHECK(take.last(Kind::started)->stamp <= armed);
    CHECK(take.engine().counts().edits == 1);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("the end of the stream is known while the queue of reports is full") {
    ShortTake take(patch("\"in -> a -> out\"", gain("a", -3.)));
    take.turns(10);
    take.fill_reports("a.gain_db");
    REQUIRE(take.engine().fade_out(20.f));
    take.blocks(40);
    CHECK_FALSE(take.engine().silent());
    take.engine().tick();
    CHECK(take.engine().silent());
    CHECK(take.last(Kind::silent)->stamp == 14u * 64u + 960u);
    CHECK(take.out().back() == 0.f);
}

}  // namespace gainstage::test::flood_test
