#include "runtime/io/quiet_stderr.hpp"

#include <cstdio>
#include <optional>

#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"

namespace gainstage::test::quiet_stderr_test {

TEST_CASE("several threads may turn stderr away: it is back when the last of them is done") {
    const End end = in_child([] {
        for (int round = 0; round < 2; ++round) {
            std::optional<QuietStderr> first, second;
            first.emplace();
            second.emplace();
            first.reset();
            std::fputs("lost ", stderr);
            second.reset();
            std::fputs("heard ", stderr);
        }
    });
    CHECK(end.said == "heard heard ");
}

}  // namespace gainstage::test::quiet_stderr_test
