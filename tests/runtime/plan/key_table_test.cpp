#include "runtime/plan/key_table.hpp"

#include <fmt/format.h>

#include <array>

#include "tests/support/catch.hpp"

namespace gainstage::test::key_table_test {

TEST_CASE("key table: a forgotten id leaves its number to a later one, the others keep theirs") {
    KeyTable keys;
    for (int n = 0; n < 200; ++n) REQUIRE(keys.key(fmt::format("n{}", n)) == static_cast<NodeKey>(n));
    keys.forget(std::array<NodeKey, 3>{7, 190, 0});
    CHECK_FALSE(keys.is_used(7));
    for (const int n : {1, 6, 8, 189, 199}) CHECK(keys.key(fmt::format("n{}", n)) == static_cast<NodeKey>(n));
    CHECK(keys.key("fresh") == 0);
    CHECK(keys.key("n7") == 190);  // the same id may have another number now
    CHECK(keys.key("other") == 7);
    CHECK(keys.id(7) == "other");
    CHECK(keys.key("next") == 200);
    CHECK(keys.size() == 201);
}

TEST_CASE("key table: room that was made beforehand changes no number") {
    KeyTable keys;
    CHECK(keys.key("first") == 0);
    keys.reserve(100);
    CHECK(keys.key("first") == 0);
    for (int n = 1; n < 300; ++n) REQUIRE(keys.key(fmt::format("n{}", n)) == static_cast<NodeKey>(n));
    keys.reserve(0);
    for (int n = 1; n < 300; ++n) REQUIRE(keys.key(fmt::format("n{}", n)) == static_cast<NodeKey>(n));
    CHECK(keys.size() == 300);
}

}  // namespace gainstage::test::key_table_test
