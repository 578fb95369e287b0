/// Large arrays begin as zeroes and keep what is written, whichever way their memory comes.

#include "runtime/realtime/large_array.hpp"

#include <algorithm>
#include <cstdint>

#include "tests/support/catch.hpp"

namespace gainstage::test::large_array_test {

TEST_CASE("large array: zero at first, then what was written, below and above a huge page") {
    constexpr std::size_t mebibyte = (std::size_t{1} << 20) / sizeof(std::uint64_t);
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{1'000}, 2 * mebibyte, 4 * mebibyte, 5 * mebibyte + 3})
        for (int round = 0; round < 3; ++round) {  // memory that was used before must be zero again
            const LargeArray<std::uint64_t> array(count);
            INFO(count << " numbers, round " << round);
            CHECK(std::all_of(array.data(), array.data() + count, [](std::uint64_t x) { return x == 0; }));
            CHECK(reinterpret_cast<std::uintptr_t>(array.data()) % alignof(std::uint64_t) == 0);
            std::fill_n(array.data(), count, ~std::uint64_t{0});
            CHECK(array.data()[0] == ~std::uint64_t{0});
            CHECK(array.data()[count - 1] == ~std::uint64_t{0});
        }
}

}  // namespace gainstage::test::large_array_test
