/// What the engine acts on is state: a queue of reports that is full at the wrong moment costs nothing but
/// reports.

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/places.hpp"
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

/// Every entry for the log and every report is dropped.
constexpr QueueSizes no_queues{.log = 0, .reports = 0};

/// One controller moves two knobs: one of them is a model's, which wants ten seconds of the past.
std::string two_targets(const std::string& model) {
    return patch("\"in -> a -> box -> out\"",
                 gain("a", -3.) + grey_box("box", model) +
                     "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"a.gain_db\"\nmin = -12.0\nmax = 0.0\n"
                     "takeover = \"jump\"\n"
                     "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"box.peak_reduction\"\nmin = 20.0\n"
                     "max = 80.0\ntakeover = \"jump\"\n");
}

/// Plays `blocks` blocks of the flood. Nobody looks at the room meanwhile. Returns how many messages came.
int flood(ShortTake& take, int blocks) {
    int sent = 0;
    for (int k = 0; k < blocks; ++k) {
        const auto due =
            static_cast<int>(std::int64_t{k + 1} * ShortTake::frames * Flood::messages_per_second / 48'000);
        for (; sent < due; ++sent)
            REQUIRE(
                take.cc(21, sent * 37 % 128, static_cast<int>(std::int64_t{sent} * 48'000 / 10'000 % 64)));
        take.blocks(1);
    }
    return sent;
}

}  // namespace

TEST_CASE("with every entry and report dropped, trips, latches, returns, fades and the end are known") {
    ShortTake take(with_bomb(1'000, "every = 10000"), nullptr, no_queues);
    for (int k = 0; k < 400; ++k) {
        take.set("a.gain_db", k % 2 ? -3.f : -400.f);  // beyond its range: a report too
        take.turns(1);
    }
    CHECK(take.engine().counts().trips == 3);  // at 1,000, 11,000 and 21,000
    CHECK(take.count(Kind::returned) == 2);
    REQUIRE(take.last(Kind::latched));
    CHECK(take.last(Kind::latched)->stamp == 21'000);
    CHECK(take.engine().ward().patients().size() == 1);
    take.order(patch("\"in -> a -> out\"", gain("a", -3.)));
    take.turns(100);
    CHECK(take.engine().counts().edits == 1);
    CHECK(take.engine().ward().patients().empty());
    REQUIRE(take.last(Kind::finished));
    CHECK(take.last(Kind::finished)->stamp == take.last(Kind::started)->stamp + 1'200);
    REQUIRE(take.engine().fade_out(20.f));
    take.turns(20);
    CHECK(take.engine().silent());
    CHECK(take.count(Kind::silent) == 1);
    CHECK(take.engine().room().reports_lost() == 400 + 200 + 1);
    CHECK(take.count(Kind::event) == 0);
    CHECK(take.count(Kind::clamped) == 0);

    // What the log lacks is told when the stream has stopped: until then there was no room for it.
    CHECK(take.count(Kind::lost) == 0);
    take.engine().conclude();
    REQUIRE(take.count(Kind::lost) == 1);
    const Loss& loss = take.last(Kind::lost)->loss;
    CHECK(loss.count == 401);
    CHECK(loss.kind == Loss::Kind::lines);
    CHECK(loss.from == 0);
    CHECK(loss.to < take.now());
}

TEST_CASE("where the log lacks entries it says so in their place, and a replay refuses it by name") {
    ShortTake take(patch("\"in -> a -> out\"", gain("a", -3.)), nullptr, {.log = 10});
    for (int k = 0; k < 25; ++k) {  // nobody looks: ten find room
        take.set("a.gain_db", static_cast<float>(-k));
        take.blocks(1);
    }
    take.turns(3);
    take.set("a.gain_db", -1.f);
    take.turns(2);
    std::vector<std::string> told;
    for (const EngineNews& news : take.news())
        if (news.kind == Kind::event || news.kind == Kind::lost)
            told.push_back(fmt::format("{}{}", news.stamp / 64, news.kind == Kind::lost ? " lost" : ""));
    REQUIRE(told.size() == 12);
    CHECK(told[9] == "9");
    CHECK(told[10] == "24 lost");
    CHECK(told[11] == "28");
    const Loss loss = take.last(Kind::lost)->loss;
    CHECK(loss == Loss{.kind = Loss::Kind::lines, .from = 10 * 64, .to = 24 * 64, .count = 15});
    CHECK(take.engine().room().reports_lost() == 15);

    const Take read = read_take(take.log());
    REQUIRE(read.losses.size() == 1);
    CHECK(read.losses[0] == loss);
    CHECK(read.events.size() == 11);
    try {
        must_be_whole(read, "take.log");
        FAIL("it is not whole");
    } catch (const TakeError& error) {
        CHECK(error.exit_code == 65);
        CHECK(std::string(error.what()) ==
              "take.log: the take is not whole: 15 line(s) of the log are missing, from 0.01 s to 0.03 s; "
              "--incomplete repeats what there is of it");
    }
}

TEST_CASE("ten seconds of the flood without a turn: nothing is lost, and a reload is warmed on all of it") {
    const TemporaryFolder folder;
    const ModelFile opto =
        remembering(model_parts(source_dir() + "/models/opto-textbook.safetensors"), 480'000);
    const std::string now = save(folder, "now.safetensors", opto),
                      next = save(folder, "next.safetensors", louder(opto, -3.));
    ShortTake take(two_targets(now), nullptr, QueueSizes::for_stage(true));
    take.turns(20);
    const int sent = flood(take, Flood::seconds * 48'000 / ShortTake::frames);
    CHECK(sent == Flood::messages);
    take.order(two_targets(next));
    take.turns(100);
    CHECK(take.engine().room().reports_lost() == 0);
    CHECK(take.engine().room().stats().events_lost == 0);
    CHECK(take.engine().room().trail().count() == static_cast<std::uint64_t>(Flood::moves));
    CHECK(take.count(Kind::event) == Flood::messages);
    CHECK(take.count(Kind::lost) == 0);
    CHECK(take.count(Kind::note) == 0);
    CHECK(take.engine().counts().swaps == 1);
    CHECK(take.engine().counts().failures == 0);
    REQUIRE(take.last(Kind::started));
    CHECK(take.last(Kind::started)->warmed);
    CHECK(take.last(Kind::started)->warm_from + 480'000 <= take.last(Kind::started)->stamp);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE(
    "ten seconds of the flood while the stream stands still: all of it is played, in order, bit by bit") {
    ShortTake take(patch("\"in -> a -> out\"", gain("a", -3.) +
                                                   "[[midi]]\nchannel = 1\ncc14 = 1\ntarget = \"a.gain_db\"\n"
                                                   "min = -40.0\nmax = 0.0\ntakeover = \"jump\"\n"),
                   nullptr, QueueSizes::for_stage(true));
    take.turns(20);
    for (int k = 0; k < Flood::messages; ++k) REQUIRE(take.cc(k % 2 ? 33 : 1, k / 2 % 128));
    std::uint64_t most = 0;
    for (int turn = 0; take.count(Kind::event) < Flood::messages && turn < 1'000; ++turn) {
        const auto before = static_cast<std::uint64_t>(take.count(Kind::event));
        take.turns(1);
        most = std::max(most, static_cast<std::uint64_t>(take.count(Kind::event)) - before);
    }
    CHECK(most <= 1'024 + 53);  // no block has more to do than that
    int seen = 0, wrong = 0;
    for (const EngineNews& news : take.news()) {
        if (news.kind != Kind::event) continue;
        wrong +=
            news.event.midi.bytes[1] != (seen % 2 ? 33 : 1) || news.event.midi.bytes[2] != seen / 2 % 128;
        ++seen;
    }
    CHECK(seen == Flood::messages);
    CHECK(wrong == 0);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

TEST_CASE("a node that trips in the flood is rebuilt after 0.1 s, its warming and the change before it") {
    ShortTake take(with_bomb(20'000) +
                       "[[midi]]\nchannel = 1\ncc = 21\ntarget = \"a.gain_db\"\nmin = -6.0\n"
                       "max = 0.0\ntakeover = \"jump\"\n",
                   nullptr, QueueSizes::for_stage(true));
    const auto with_flood = [&](int turns) {
        for (int k = 0; k < turns; ++k) {
            for (int message = 0; message < 13; ++message) take.cc(21, (13 * k + message) % 128, 5 * message);
            take.turns(1);
        }
    };
    with_flood(300);
    CHECK(take.engine().counts().trips == 0);
    with_flood(300);
    REQUIRE(take.last(Kind::tripped));
    CHECK(take.last(Kind::tripped)->stamp == 20'000);
    REQUIRE(take.last(Kind::returned));
    CHECK(take.last(Kind::returned)->stamp <= 20'000 + 9'600 + 1'200);
    CHECK(bit_difference(mono(take.out()), mono(take.replayed())) == "");
}

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
    CHECK(take.engine().room().reports_lost() == 3 * 4'096);
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
