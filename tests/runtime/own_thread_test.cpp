#include "runtime/thread.hpp"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "runtime/limits.hpp"
#include "runtime/realtime/stack.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"
#include "tests/support/realtime_guard.hpp"
#include "tests/support/words.hpp"

namespace gainstage::test::own_thread_test {

namespace {

std::size_t stack_of_this_thread() {
    pthread_attr_t attributes;
    std::size_t bytes = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    pthread_attr_getstacksize(&attributes, &bytes);
    pthread_attr_destroy(&attributes);
    return bytes;
}

bool hears(int number) {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, number) == 0;
}

struct Touched {
    std::size_t bytes = 0, stack = 0;
};

/// What a thread touches of a stack of this size; the system may give it a larger one that it has left.
Touched touched_of(std::size_t stack_bytes) {
    Touched touched;
    Thread(
        "", [&] { touched = {.bytes = pretouch_stack(), .stack = stack_of_this_thread()}; }, stack_bytes)
        .join();
    return touched;
}

}  // namespace

TEST_CASE("a thread has the name and the stack that it names, and hears no signal that ends a program") {
    std::array<char, 16> name{};
    std::size_t stack = 0;
    bool hears_end = true, hears_fault = false;
    Thread thread(
        "gainstage-test",
        [&] {
            pthread_getname_np(pthread_self(), name.data(), name.size());
            stack = stack_of_this_thread();
            hears_end = hears(SIGTERM) || hears(SIGINT) || hears(SIGALRM);
            hears_fault = hears(SIGSEGV);
        },
        std::size_t{3} << 20);
    CHECK(thread.joinable());
    thread.join();
    CHECK_FALSE(thread.joinable());
    CHECK(std::string_view(name.data()) == "gainstage-test");
    CHECK(stack >= std::size_t{3} << 20);
    CHECK(stack < std::size_t{8} << 20);  // the system may give it a larger one that it has left
    CHECK_FALSE(hears_end);
    CHECK(hears_fault);
    CHECK(hears(SIGTERM));  // its maker as before
}

TEST_CASE("where no thread is to be had, the sentence names it, the cause and the remedy") {
    std::string text;
    try {
        Thread(
            "gainstage-test", [] {}, std::size_t{1} << 60)
            .join();
    } catch (const NoThread& cause) {
        text = cause.what();
    }
    INFO(text);
    CHECK(has(text, "no thread can be started for gainstage-test: "));
    CHECK(has(text, "raise the limit, or end other programs"));
}

TEST_CASE("the remedies name the limits that are in force") {
    CHECK(in_child([] {
              const rlimit files{.rlim_cur = 33, .rlim_max = 33}, threads{.rlim_cur = 44, .rlim_max = 44};
              setrlimit(RLIMIT_NOFILE, &files);
              setrlimit(RLIMIT_NPROC, &threads);
              if (!has(remedy_for_descriptors(), "33 are allowed (ulimit -n)")) _exit(1);
              if (!has(remedy_for_threads(), "44 processes and threads (ulimit -u)")) _exit(2);
              if (!remedy_for_memory().empty()) _exit(0);
              _exit(3);
          }).peaceful());
}

TEST_CASE("a process whose parent blocked all signals hears them again") {
    const End end = in_child([] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        std::signal(SIGTERM, SIG_DFL);
        hear_signals();
        std::raise(SIGTERM);
    });
    CHECK(WIFSIGNALED(end.status));
    CHECK(WTERMSIG(end.status) == SIGTERM);
}

TEST_CASE("a stack is touched as far as it reaches, and 256 KiB of it at most") {
    constexpr std::size_t most = 256 * 1024;
    CHECK(touched_of(std::size_t{1} << 20).bytes == most);
    for (const std::size_t kib : {96, 128, 192, 256, 288}) {
        const Touched touched = touched_of(kib * 1024);
        INFO(touched.bytes << " of " << touched.stack << " bytes");
        CHECK(touched.bytes < touched.stack);
        CHECK(touched.bytes <= most);
        if (realtime_guard() ==
            RealtimeGuard::in_process)  // a sanitizer's thread-local memory lies on the stack
            CHECK(touched.bytes + 64 * 1024 > std::min(touched.stack, most));
    }
    CHECK(pretouch_stack() == 256 * 1024);  // the main thread
}

}  // namespace gainstage::test::own_thread_test
