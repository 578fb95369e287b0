#include "nodes/effects/crossfade.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::crossfade_test {

namespace {

/// The factors of a and b.
std::pair<float, float> shares(float position, const std::string& law) {
    const NodeConfig config{.options = {{"law", law}}, .params = {{"position", position}}};
    const Sound one = mono(constant(3, 1.f)), nothing = mono(silence(3));
    return {NodeRunner(Crossfade::type(), config).run(Ports{one, nothing})[0][0][2],
            NodeRunner(Crossfade::type(), config).run(Ports{nothing, one})[0][0][2]};
}

}  // namespace

TEST_CASE("crossfade: the ends are exactly a and exactly b, by either law") {
    for (const std::string law : {"linear", "equal_power"}) {
        CHECK(shares(0.f, law) == std::pair{1.f, 0.f});
        CHECK(shares(1.f, law) == std::pair{0.f, 1.f});
    }
}

TEST_CASE("crossfade: linear keeps the sum of amplitudes, equal_power the sum of powers") {
    for (float position = 0.f; position <= 1.f; position += 0.0625f) {
        const auto [a, b] = shares(position, "linear");
        CHECK(a + b == Approx(1.).margin(1e-7));
        const auto [c, d] = shares(position, "equal_power");
        CHECK(c * c + d * d == Approx(1.).margin(1e-6));  // float sine
    }
    CHECK(to_db(double{shares(0.5f, "linear").first}) == Approx(-6.0206).margin(0.0001));
    CHECK(to_db(double{shares(0.5f, "equal_power").first}) == Approx(-3.0103).margin(0.0001));
}

TEST_CASE("crossfade: keeps the loudness of two different sounds throughout a slow move") {
    NodeRunner fade(Crossfade::type());
    const Ports noises{mono(white_noise(48'000, 1)), mono(white_noise(48'000, 2))};
    const Channel out = fade.run(noises, {}, {{0, "position", 1.f, 1000.f}})[0][0];
    for (int at = 0; at < 48'000; at += 4800)
        // 4800 samples of noise: the level itself varies by about 0.1 dB
        CHECK(rms_db(part(out, at, at + 4800)) == Approx(rms_db(noises[0][0])).margin(0.5));
}

}  // namespace gainstage::test::crossfade_test
