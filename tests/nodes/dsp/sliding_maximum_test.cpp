#include "nodes/dsp/sliding_maximum.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test::sliding_maximum_test {

TEST_CASE("sliding maximum: is the largest of exactly the last `length` samples") {
    Channel in = white_noise(1000, 3);
    for (float& x : in) x = x < 0.f ? 0.f : x;
    for (int length = 1; length <= 130; ++length) {
        SlidingMaximum maximum(length);
        int wrong = 0;
        for (int k = 0; k < 1000; ++k) {
            const auto first = in.begin() + std::max(0, k - length + 1);
            wrong += maximum.tick(in[k]) != *std::max_element(first, in.begin() + k + 1);
        }
        INFO("length " << length);
        CHECK(wrong == 0);
    }
}

}  // namespace gainstage::test::sliding_maximum_test
