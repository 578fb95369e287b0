#include "runtime/control/load_verdict.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::load_verdict_test {

TEST_CASE("the verdict comes first, and follows the patch's own time") {
    const auto verdict = [](std::uint64_t late, float worst, float usual) {
        return load_verdict({.blocks = 1'000,
                             .late_blocks = late,
                             .worst_load = worst,
                             .usual_load = usual,
                             .block_frames = 128,
                             .busiest = {{"g0", 0.035}, {"g1", 0.034}}});
    };
    CHECK(
        verdict(400, 1.08f, 0.98f) ==
        "too heavy for 128 frames: 108 %, usually 98 %, of the time that a block has; busiest: g0 3.5 %, g1 "
        "3.4 %. Longer blocks (--block; with JACK its server's) or a lighter patch help");
    // A dear phase that comes back is the patch's own, however cheap the other blocks are.
    CHECK(verdict(30, 1.5f, 0.3f).find("too heavy for 128 frames: 150 %") == 0);
    CHECK(verdict(2, 1.08f, 0.9f).find("too heavy") == 0);
    CHECK(
        verdict(2, 2.4f, 0.12f) ==
        "hardly the patch: 2 of 1000 blocks took up to 240 % of their time, but usually they take 12 %; most "
        "likely another program held the processor");
    CHECK(verdict(0, 0.93f, 0.6f).find("nearly too heavy for 128 frames: a block took 93 % of its time") ==
          0);
    CHECK(verdict(0, 0.43f, 0.1f) ==
          "late callbacks, not because of the patch: no block took more than 43 % of its time. Another "
          "program, "
          "or a missing right to real-time priority, holds up the audio thread");
}

TEST_CASE("nodes are told with their shares, the busiest first, a few at most") {
    CHECK(load_text({{"a", 0.25}, {"b", 0.1}, {"c", 0.05}}, 2) == "a 25.0 %, b 10.0 %");
    CHECK(load_text({}, 3).empty());
}

}  // namespace gainstage::test::load_verdict_test
