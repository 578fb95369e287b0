#include "nodes/effects/polarity.hpp"

#include "tests/nodes/contract.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::polarity_test {

TEST_CASE("polarity: exactly the negative, or exactly the same") {
    const Channel noise = white_noise(100, 1);
    Channel negative = noise;
    for (float& x : negative) x = -x;
    CHECK(bit_difference(NodeRunner(Polarity::type()).run(mono(noise)), mono(negative)).empty());
    NodeRunner off(Polarity::type(), {.params = {{"invert", 0.f}}});
    CHECK(bit_difference(off.run(mono(noise)), mono(noise)).empty());
}

TEST_CASE("polarity: switching runs through zero in 5 ms, from its sample on") {
    NodeRunner polarity(Polarity::type());
    const Channel out = polarity.run(mono(constant(1000, 1.f)), {64}, {{100, "invert", 0.f}})[0];
    CHECK(out[100] == -1.f);
    CHECK(out[101] > -1.f);
    CHECK(out[100 + 120] == Approx(0.).margin(1e-6));  // half of 240 samples
    CHECK(out[100 + 240] == 1.f);
}

TEST_CASE("polarity: switched back halfway, it turns round from where it is") {
    NodeRunner polarity(Polarity::type());
    const Channel out =
        polarity.run(mono(constant(1000, 1.f)), {64}, {{100, "invert", 0.f}, {190, "invert", 1.f}})[0];
    CHECK(max_second_difference(out) < 2. * 2. / 240.);  // no jump: only corners between two slopes
    CHECK(out[190] == Approx(-0.25).margin(1e-6));       // 90 of 240 samples
    CHECK(out[190 + 240] == -1.f);
}

TEST_CASE("polarity: the turn does not depend on blocks, and a copy continues it") {
    const std::vector<Move> moves{{100, "invert", 0.f}, {190, "invert", 1.f}, {990, "invert", 0.f}};
    CHECK(broken_promise(Polarity::type(), {.channels = 2},
                         {stereo(white_noise(1000, 1), white_noise(1000, 2))}, moves) == "");
}

}  // namespace gainstage::test::polarity_test
