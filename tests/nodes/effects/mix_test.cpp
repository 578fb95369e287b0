#include "nodes/effects/mix.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::mix_test {

namespace {

const Channel a = white_noise(500, 1), b = white_noise(500, 2);

/// Plays the ports; those without sound have no cable.
Sound mixed(const Ports& ports, NodeConfig config = {}, std::vector<Move> moves = {}) {
    config.input_channels.assign(10, 0);
    for (std::size_t p = 0; p < ports.size(); ++p)
        config.input_channels[p] = static_cast<int>(ports[p].size());
    for (const Sound& sound : ports)
        config.channels = std::max(config.channels, static_cast<int>(sound.size()));
    return NodeRunner(Mix::type(), config).run(ports, {64}, std::move(moves))[0];
}

Ports at(std::size_t port, const Sound& sound) {
    Ports ports(port + 1);
    ports[port] = sound;
    return ports;
}

}  // namespace

TEST_CASE("mix: 0 is exactly dry, 100 exactly wet, 50 half of each") {
    CHECK(bit_difference(mixed({mono(a), mono(b)}, {.params = {{"mix_percent", 0.f}}}), mono(a)).empty());
    CHECK(bit_difference(mixed({mono(a), mono(b)}, {.params = {{"mix_percent", 100.f}}}), mono(b)).empty());
    const Channel half = mixed({mono(constant(9, 0.5f)), mono(constant(9, 0.25f))})[0];
    CHECK(half[8] == 0.375f);
}

TEST_CASE("mix: a sound blended with itself keeps its level at every setting and during a move") {
    const Channel out =
        mixed({mono(constant(3000, 0.5f)), mono(constant(3000, 0.5f))}, {}, {{100, "mix_percent", 90.f}})[0];
    for (const float x : out) CHECK(x == Approx(0.5).margin(1e-7));  // one rounding of each product
}

TEST_CASE("mix: every input has its level; -120 is silence") {
    for (std::size_t i = 1; i <= 8; ++i) {
        const std::string level = "level" + std::to_string(i) + "_db";
        const Sound quieter = mixed(at(i + 1, mono(a)), {.params = {{level, -20.f}}});
        CHECK(rms_db(quieter[0]) == Approx(rms_db(a) - 20.).margin(0.001));  // float exp2
        CHECK(peak(mixed(at(i + 1, mono(a)), {.params = {{level, -120.f}}})[0]) == 0.);
    }
}

TEST_CASE("mix: the other inputs are added to the blend") {
    Ports ports(10, mono(constant(9, 0.125f)));
    CHECK(mixed(ports)[0][8] == 0.125f + 8 * 0.125f);
}

TEST_CASE("mix: it is as wide as its widest cable, and mono feeds both sides") {
    const Ports ports{stereo(a, b), mono(a)};
    CHECK(bit_difference(mixed(ports, {.params = {{"mix_percent", 100.f}}}), stereo(a, a)).empty());
    CHECK(bit_difference(mixed(ports, {.params = {{"mix_percent", 0.f}}}), stereo(a, b)).empty());
}

TEST_CASE("mix: channels = 1 folds stereo to the mean of left and right, on every input") {
    const std::vector<std::pair<std::string, OptionValue>> one{{"channels", std::int64_t{1}}};
    const Sound pair = stereo(constant(9, 0.5f), constant(9, -0.25f));
    CHECK(mixed({pair}, {.options = one, .params = {{"mix_percent", 0.f}}}) == mono(constant(9, 0.125f)));
    CHECK(mixed(at(1, pair), {.options = one, .params = {{"mix_percent", 100.f}}}) ==
          mono(constant(9, 0.125f)));
    CHECK(mixed(at(9, pair), {.options = one}) == mono(constant(9, 0.125f)));
    const Sound other = stereo(constant(9, 0.f), constant(9, 1.f));
    CHECK(mixed({pair, other}, {.options = one}) == mono(constant(9, 0.5f * 0.125f + 0.5f * 0.5f)));
}

TEST_CASE("mix: channels = 2 turns a mono cable into stereo") {
    const Sound out =
        mixed({mono(a)}, {.options = {{"channels", std::int64_t{2}}}, .params = {{"mix_percent", 0.f}}});
    CHECK(bit_difference(out, stereo(a, a)).empty());
}

}  // namespace gainstage::test::mix_test
