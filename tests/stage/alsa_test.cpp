/// The program on a sound card of its own, through ALSA.

#include <cstdlib>
#include <cstring>

#include <optional>

#include "tests/stage/program.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/places.hpp"
#include "tests/support/scene.hpp"
#include "tests/support/test_cards.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::alsa_test {

namespace {

/// How many frames later `count` frames of the input, from frame `from` on, are in the output; -1: nowhere.
int way_through(const CardState& card, int from, int count) {
    for (int late = 0; late < 2'048; ++late) {
        int same = 0;
        while (same < count &&
               card.played[from + late + same][0] ==
                   card_noise(card.ability.format, static_cast<std::uint64_t>(from + same), 0))
            ++same;
        if (same == count) return late;
    }
    return -1;
}

}  // namespace

namespace {

/// How long the way through the program and the card is. Nothing: sound was lost, as it may be on a busy
/// machine; then the card begins anew, and the noise with it.
std::optional<int> way_with(int periods) {
    TestCards cards({{"box", {.keeps_time = true, .plays_noise = true, .most_frames = 60'000}}});
    const TemporaryFolder folder;
    const std::string file = folder.write("through.toml", patch(R"("in -> out")", ""));
    Program live({"run", file, "--api", "alsa", "--device", "box", "--block", "256", "--periods",
                  std::to_string(periods), "--json", "--seconds", "0.7"});
    const int code = live.wait();
    INFO(live.words());
    REQUIRE(code == 0);
    CHECK(has(live.events("started").at(0).at("text"), "plays on box (alsa, 48000 Hz, 256 frames, 1 in, "));
    CHECK(cards[0].buffer_frames[CardState::out] == periods * 256);
    if (cards[0].starts[CardState::in] != 1) return {};
    CHECK(live.events("summary").at(0).at("xruns") == 0);
    return way_through(cards[0], 10'000, 8'000);  // the fade at the beginning is over
}

}  // namespace

TEST_CASE(
    "ALSA: the program plays a card, and the patch's latency is all that comes to the periods asked for") {
    for (const int periods : {2, 3}) {
        std::optional<int> way;
        for (int k = 0; k < 10 && !way; ++k) way = way_with(periods);
        REQUIRE(way);  // else ten takes have lost sound
        CHECK(*way == periods * 256);
    }
}

TEST_CASE("ALSA: a card that holds fewer periods than --periods asks for is told") {
    TestCards cards({{"box", {.most_periods = 2, .keeps_time = true}}});
    const auto notes_with = [](int periods) {
        Program live({"run", source_dir() + "/patches/hello.toml", "--api", "alsa", "--device", "box",
                      "--block", "256", "--periods", std::to_string(periods), "--json", "--seconds", "0.2"});
        REQUIRE(live.wait() == 0);
        std::string notes;
        for (const auto& note : live.events("note")) notes += note.at("text").get<std::string>() + "\n";
        return notes;
    };
    CHECK(has(notes_with(5),
              "box holds 2 blocks of 256 frames, not the 5 that --periods asks for; it plays "
              "with 2"));
    CHECK_FALSE(has(notes_with(2), "box holds"));
}

TEST_CASE("ALSA: the program ends when its card is unplugged, and says so") {
    TestCards cards({{"box", {.keeps_time = true}}});
    Program live({"run", source_dir() + "/patches/hello.toml", "--api", "alsa", "--device", "box", "--json"});
    REQUIRE(live.tells("started"));
    cards[0].is_unplugged = true;
    const int code = live.wait();
    INFO(live.words());
    CHECK(code == 69);
    CHECK(has(live.events("device_lost").at(0).at("text"), "box: the card is gone (unplugged"));
}

TEST_CASE("ALSA: two cards are refused by the program, with the remedy") {
    TestCards cards({{"alpha"}, {"beta"}});
    Program live({"run", source_dir() + "/patches/hello.toml", "--api", "alsa", "--device", "alpha",
                  "--in-device", "beta"});
    CHECK(live.wait() == 69);
    CHECK(has(live.standard_error(), "\"beta\" and \"alpha\" are two cards"));
}

}  // namespace gainstage::test::alsa_test
