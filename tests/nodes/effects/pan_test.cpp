#include "nodes/effects/pan.hpp"

#include <numbers>

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::pan_test {

namespace {

/// Left and right for a constant of 1 (on both sides for stereo).
std::pair<float, float> sides(float position, int channels = 1) {
    NodeRunner pan(Pan::type(), {.channels = channels, .params = {{"position", position}}});
    const Sound out = pan.run(Sound(static_cast<std::size_t>(channels), constant(4, 1.f)));
    return {out[0][3], out[1][3]};
}

}  // namespace

TEST_CASE("pan: a mono sound has the same power everywhere, 3 dB down on either side in the middle") {
    for (float position = -1.f; position <= 1.f; position += 0.125f) {
        const auto [left, right] = sides(position);
        CHECK(left * left + right * right == Approx(1.).margin(1e-6));  // float sine
        CHECK(left == Approx(sides(-position).second).margin(1e-7));    // mirror
    }
    CHECK(to_db(double{sides(0.f).first}) == Approx(-3.0103).margin(0.0001));
    CHECK(sides(0.f).first == sides(0.f).second);
}

TEST_CASE("pan: at the ends one side is exactly the sound, the other exactly silence") {
    for (const int channels : {1, 2}) {
        CHECK(sides(-1.f, channels) == std::pair{1.f, 0.f});
        CHECK(sides(1.f, channels) == std::pair{0.f, 1.f});
    }
}

TEST_CASE("pan: a stereo sound passes unchanged in the middle and only loses on the far side") {
    CHECK(sides(0.f, 2) == std::pair{1.f, 1.f});
    CHECK(sides(0.5f, 2).second == 1.f);
    CHECK(sides(0.5f, 2).first == Approx(std::cos(std::numbers::pi / 4.)).margin(1e-6));
    CHECK(sides(-0.5f, 2).first == 1.f);
}

TEST_CASE("pan: a move from side to side does not click") {
    // A constant through the sine law. The second difference of a smooth law over 960 samples is tiny; the
    // corners where the ramp begins and ends change the slope by pi/2 / 960 at most.
    NodeRunner pan(Pan::type(), {.params = {{"position", -1.f}}});
    const Sound out = pan.run(mono(constant(3000, 1.f)), {64}, {{1000, "position", 1.f}});
    CHECK(max_second_difference(out[0]) < 1.001 * std::numbers::pi / 2. / 960.);
    CHECK(max_second_difference(out[1]) < 1.001 * std::numbers::pi / 2. / 960.);
}

}  // namespace gainstage::test::pan_test
