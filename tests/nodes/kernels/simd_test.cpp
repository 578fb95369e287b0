#include "nodes/kernels/simd.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "nodes/kernels/vector_math.hpp"
#include "tests/support/catch.hpp"

namespace gainstage::test::simd_test {

TEST_CASE("simd: the best level of this processor is taken unless the environment names another") {
    const auto levels = simd_levels();
    REQUIRE(!levels.empty());
    CHECK(std::find(levels.begin(), levels.end(), simd_level()) != levels.end());
    if (const char* asked = std::getenv("GAINSTAGE_SIMD"); asked && *asked)
        CHECK(simd_level() == asked);
    else
        CHECK(simd_level() == levels.front());
}

TEST_CASE("simd: the kernels that run are those of the level in use, even after the levels were listed") {
    simd_levels();
    std::string running = vector_math().level;
    std::transform(running.begin(), running.end(), running.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    CHECK((running == "emu128" ? "scalar" : running) == simd_level());
}

}  // namespace gainstage::test::simd_test
