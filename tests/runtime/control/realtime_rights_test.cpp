#include "runtime/control/realtime_rights.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "runtime/realtime/stack.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::realtime_rights_test {

namespace {

/// Limits, users and locked memory hold for the life of a process, so each test has its own.
bool in_child(const std::function<bool()>& check) {
    const pid_t child = fork();
    if (child == 0) _exit(check() ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Runs as an ordinary user without any rights.
void become_nobody([[maybe_unused]] rlim_t locked_bytes) {
#if defined(__linux__)
    const rlimit no_priority{0, 0}, little{locked_bytes, locked_bytes};
    setrlimit(RLIMIT_RTPRIO, &no_priority);
    setrlimit(RLIMIT_MEMLOCK, &little);
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1);
#endif
}

/// "VmLck" of this process.
[[maybe_unused]] long locked_kilobytes() {
    std::ifstream status("/proc/self/status");
    long kilobytes = 0;
    for (std::string key; status >> key;)
        if (key == "VmLck:") status >> kilobytes;
    return kilobytes;
}

}  // namespace

#if defined(__linux__)

TEST_CASE("a refused real-time priority is reported with the limit and the remedy") {
    CHECK(in_child([] {
        become_nobody(64 * 1024);
        const auto refused = check_realtime_priority(70);
        return refused.size() == 1 && has(refused[0].what, "priority 70") &&
               has(refused[0].what, "(rtprio) is 0") && has(refused[0].remedy, "@audio - rtprio") &&
               has(refused[0].remedy, "usermod -aG audio");
    }));
}

TEST_CASE("refused memory locking is reported with the limit and the remedy") {
    CHECK(in_child([] {
        become_nobody(64 * 1024);
        const auto refused = lock_memory();
        return refused.size() == 1 && has(refused[0].text(), "(memlock) is 64 kB") &&
               has(refused[0].text(), "@audio - memlock unlimited");
    }));
}

TEST_CASE("a limit that is enough for today but not for tomorrow never makes an allocation fail") {
    CHECK(in_child([] {
        become_nobody(512 << 20);
        const auto refused = lock_memory();
        if (refused.size() != 1) return false;
        std::vector<char> model(600 << 20, 1);  // more than the limit
        return model.back() == 1;
    }));
}

TEST_CASE("memory is locked if allowed, even when it is allocated later") {
    CHECK(in_child([] {
        if (!lock_memory().empty()) return true;  // not allowed here; the tests above cover that
        const long before = locked_kilobytes();
        const std::vector<char> more(32 << 20, 1);
        return before > 0 && locked_kilobytes() >= before + 30 * 1024;
    }));
}

#endif

TEST_CASE("touching the stack is harmless on a thread that has it") {
    pretouch_stack();
    SUCCEED();
}

}  // namespace gainstage::test::realtime_rights_test
