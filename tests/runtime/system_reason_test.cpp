#include "runtime/system_reason.hpp"

#include <sys/resource.h>

#include <cerrno>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::system_reason_test {

TEST_CASE("too many open files names the limit and the way to raise it") {
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(is_lack_of_descriptors(EMFILE));
    CHECK(has(system_reason(EMFILE), "too many open files: " + std::to_string(limit.rlim_cur)));
    CHECK(has(system_reason(EMFILE), "ulimit -n"));
}

TEST_CASE("other reasons are the system's") {
    CHECK_FALSE(is_lack_of_descriptors(ENOENT));
    CHECK(system_reason(ELOOP) == "its links lead in a circle");
    CHECK(system_reason(ENOENT) == "No such file or directory");
}

}  // namespace gainstage::test::system_reason_test
