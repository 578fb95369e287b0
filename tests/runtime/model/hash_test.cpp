/// Logs quote hashes, so each is FNV-1a to the bit.

#include "runtime/model/hash.hpp"

#include "tests/support/catch.hpp"

namespace gainstage::test::hash_test {

namespace {

/// As Fowler, Noll and Vo wrote it: byte by byte.
std::uint64_t fnv(std::initializer_list<int> bytes) {
    std::uint64_t value = 14695981039346656037u;
    for (const int byte : bytes) value = (value ^ static_cast<std::uint64_t>(byte)) * 1099511628211u;
    return value;
}

std::uint64_t hash_of(std::uint64_t number) {
    Hash hash;
    hash.add_number(number);
    return hash.value();
}

}  // namespace

TEST_CASE("hash: a number counts as its eight bytes, the lowest first") {
    CHECK(hash_of(0) == fnv({0, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(hash_of(4) == fnv({4, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(hash_of(255) == fnv({255, 0, 0, 0, 0, 0, 0, 0}));
    CHECK(hash_of(256) == fnv({0, 1, 0, 0, 0, 0, 0, 0}));
    CHECK(hash_of(0x0102030405060708u) == fnv({8, 7, 6, 5, 4, 3, 2, 1}));
}

TEST_CASE("hash: a text counts with its length") {
    Hash hash;
    hash.add(std::string_view("ab"));
    hash.add(std::string_view(""));
    CHECK(hash.value() == fnv({2, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 0, 0, 0, 0}));
}

}  // namespace gainstage::test::hash_test
