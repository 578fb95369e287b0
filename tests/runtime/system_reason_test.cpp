#include "runtime/system_reason.hpp"

#include <sys/resource.h>

#include <cerrno>

#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::system_reason_test {

TEST_CASE("too many open files names the limit and the way to raise it") {
    rlimit limit{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(has(system_reason(EMFILE), "too many open files: " + std::to_string(limit.rlim_cur)));
    CHECK(has(system_reason(EMFILE), "ulimit -n"));
}

TEST_CASE("other reasons are the system's") {
    CHECK(system_reason(ELOOP) == "its links lead in a circle");
    CHECK(system_reason(ENOENT) == "No such file or directory");
    CHECK(has(system_reason(ENFILE), "fs.file-max"));  // not this program's limit
}

}  // namespace gainstage::test::system_reason_test
