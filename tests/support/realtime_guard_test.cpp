#include "tests/support/realtime_guard.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"

namespace gainstage::test::realtime_guard_test {

namespace {

volatile int sink = 0;
std::mutex mutex;
std::condition_variable condition;
std::vector<int> grown;
std::function<int()> held;
int* made = new int(1);

struct Violation {
    const char* name;
    void (*work)();
    bool sanitizer_sees;  ///< RealtimeSanitizer 19 does not intercept read and write
};

const Violation violations[] = {
    {"malloc",
     [] {
         void* volatile memory = std::malloc(100);
         std::free(memory);
     },
     true},
    {"a vector that grows", [] { grown.resize(grown.capacity() + 1000); }, true},
    {"delete", [] { delete std::exchange(made, nullptr); }, true},
    {"a std::function that allocates",
     [] {
         double numbers[8] = {1.};
         held = [numbers] { return static_cast<int>(numbers[0]); };
     },
     true},
    {"a lock", [] { const std::lock_guard lock(mutex); }, true},
    {"waking another thread", [] { condition.notify_one(); }, true},
    {"writing", [] { sink = static_cast<int>(write(STDOUT_FILENO, "", 0)); }, false},
    {"opening a file", [] { sink = open("/dev/null", O_RDONLY); }, true},
    {"printing", [] { std::fputs("a line\n", stdout); }, true},
    {"sleeping", [] { std::this_thread::sleep_for(std::chrono::microseconds(1)); }, true},
    {"an exception",
     [] {
         try {
             throw std::runtime_error("x");
         } catch (const std::exception&) {
             sink = 1;
         }
     },
     true},
};

}  // namespace

TEST_CASE("the real-time guard ends the program at every kind of forbidden call") {
    if (realtime_guard() == RealtimeGuard::none) {
        SUCCEED("this build's sanitizer owns the guarded functions");
        return;
    }
    for (const Violation& violation : violations) {
        if (realtime_guard() == RealtimeGuard::sanitizer && !violation.sanitizer_sees) continue;
        const End end = in_child([&] {
            const RealtimeScope audio_thread;
            violation.work();
        });
        INFO(violation.name << " said: " << end.said);
        CHECK_FALSE(end.peaceful());
        if (realtime_guard() == RealtimeGuard::in_process) {
            CHECK(WIFSIGNALED(end.status));
            CHECK(end.said.find("real-time violation: ") != std::string::npos);
        } else {
            CHECK(end.said.find("unsafe") != std::string::npos);
        }
    }
}

TEST_CASE("the real-time guard lets the same calls pass outside its scope and on other threads") {
    for (const Violation& violation : violations) {
        const End end = in_child([&] {
            { const RealtimeScope audio_thread; }
            violation.work();
        });
        INFO(violation.name << " said: " << end.said);
        CHECK(end.peaceful());
    }
    const End end = in_child([&] {
        std::thread beside;
        std::atomic<int> phase = 0;
        beside = std::thread([&] {
            while (phase == 0) std::this_thread::yield();
            grown.resize(grown.capacity() + 1000);
            phase = 2;
        });
        {
            const RealtimeScope audio_thread;
            phase = 1;
            while (phase != 2) sink = sink + 1;
        }
        beside.join();
    });
    INFO(end.said);
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::realtime_guard_test
