#include "nodes/effects/input.hpp"

#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::input_test {

namespace {

NodeConfig listening_to(std::vector<int> channels) {
    return {.options = {{"channels", std::move(channels)}}};
}

/// Channel n carries n + 1.
Sound device(int channels) {
    Sound sound;
    for (int c = 0; c < channels; ++c) sound.push_back(constant(100, static_cast<float>(c + 1)));
    return sound;
}

}  // namespace

TEST_CASE("input: channels are counted from 1, and taken in the order written") {
    NodeRunner input(Input::type(), listening_to({3, 1}));
    const Sound out = input.run(Ports{}, {}, {}, device(4))[0];
    CHECK(bit_difference(out, {constant(100, 3.f), constant(100, 1.f)}).empty());
}

TEST_CASE("input: a channel that the device lacks is silence") {
    NodeRunner input(Input::type(), listening_to({2, 5}));
    const Sound out = input.run(Ports{}, {}, {}, device(2))[0];
    CHECK(bit_difference(out, {constant(100, 2.f), silence(100)}).empty());
}

TEST_CASE("input: samples that are not finite become 0, all others stay bit for bit") {
    Channel in = white_noise(100, 7);
    in[3] = std::numeric_limits<float>::quiet_NaN();
    in[50] = std::numeric_limits<float>::infinity();
    in[51] = -std::numeric_limits<float>::infinity();
    in[70] = std::numeric_limits<float>::max();
    in[71] = 1e-42f;  // a denormal
    Channel expected = in;
    expected[3] = expected[50] = expected[51] = 0.f;
    NodeRunner input(Input::type(), listening_to({1}));
    CHECK(bit_difference(input.run(Ports{}, {16}, {}, mono(in))[0], mono(expected)).empty());
}

TEST_CASE("input: no channel, or three, are refused") {
    CHECK_THROWS_AS(NodeRunner(Input::type(), listening_to({})), SetupError);
    CHECK_THROWS_AS(NodeRunner(Input::type(), listening_to({1, 2, 3})), SetupError);
}

}  // namespace gainstage::test::input_test
