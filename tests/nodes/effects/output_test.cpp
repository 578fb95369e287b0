#include "nodes/effects/output.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/measure.hpp"
#include "tests/support/node_runner.hpp"

namespace gainstage::test::output_test {

namespace {

/// What each of the device's four channels gets.
Sound played(std::vector<int> channels, const Sound& sound) {
    NodeRunner output(Output::type(), {.channels = static_cast<int>(sound.size()),
                                       .options = {{"channels", std::move(channels)}}});
    output.run(Ports{sound}, Partition::random(3, 50));
    return output.device_out();
}

const Channel left = white_noise(200, 1), right = white_noise(200, 2), none = silence(200);

}  // namespace

TEST_CASE("output: channels are counted from 1, and fed in the order written") {
    CHECK(bit_difference(played({4, 2}, stereo(left, right)), {none, right, none, left}).empty());
}

TEST_CASE("output: mono into two channels feeds both") {
    CHECK(bit_difference(played({1, 2}, mono(left)), {left, left, none, none}).empty());
}

TEST_CASE("output: a channel that the device lacks is left out") {
    CHECK(bit_difference(played({1, 9}, stereo(left, right)), {left, none, none, none}).empty());
}

TEST_CASE("output: adds to what the device channel already holds") {
    // the same device channel twice: both feeds are added
    CHECK(bit_difference(played({3, 3}, stereo(constant(200, 0.25f), constant(200, 0.5f))),
                         {none, none, constant(200, 0.75f), none})
              .empty());
}

}  // namespace gainstage::test::output_test
