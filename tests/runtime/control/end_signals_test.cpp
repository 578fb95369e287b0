#include "runtime/control/end_signals.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"

namespace gainstage::test::end_signals_test {

using namespace std::chrono_literals;

namespace {

bool is_readable(int descriptor) {
    pollfd waited{.fd = descriptor, .events = POLLIN, .revents = 0};
    return poll(&waited, 1, 0) == 1;
}

int code_of(const End& end) {
    return WIFEXITED(end.status) ? WEXITSTATUS(end.status) : -1;
}

}  // namespace

TEST_CASE("the first signal wakes whoever waits, and the second is counted") {
    const int number = GENERATE(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPWR);
    const End end = in_child([number] {
        const EndSignals signals;
        if (signals.count() != 0 || signals.number() != 0 || is_readable(signals.fd())) _exit(1);
        raise(number);
        if (signals.count() != 1 || !is_readable(signals.fd())) _exit(2);
        raise(number);
        if (signals.count() != 2 || signals.number() != number) _exit(3);
    });
    CHECK(code_of(end) == 0);
}

TEST_CASE("the third signal ends the process with the code that was set") {
    const int code = GENERATE(0, 73);
    const End end = in_child([code] {
        const EndSignals signals;
        signals.set_sudden_end(code);
        for (int k = 0; k < 3; ++k) raise(SIGINT);
        _exit(1);
    });
    CHECK(code_of(end) == code);
}

TEST_CASE("where nothing may take long, the first signal gives a second") {
    const End end = in_child([] {
        const EndSignals signals(false);
        signals.set_sudden_end(73);
        raise(SIGTERM);
        if (signals.count() != 1) _exit(1);
        for (;;) std::this_thread::sleep_for(1s);
    });
    CHECK(code_of(end) == 73);
}

TEST_CASE("after the second signal the process ends within a second, whatever holds it up") {
    const auto begin = std::chrono::steady_clock::now();
    const End end = in_child([] {
        const EndSignals signals;
        signals.set_sudden_end(73);
        raise(SIGINT);
        raise(SIGINT);
        for (;;) std::this_thread::sleep_for(1s);
    });
    CHECK(code_of(end) == 73);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
}

TEST_CASE("a sudden end says what was prepared for it") {
    const End end = in_child([] {
        const EndSignals signals;
        signals.set_sudden_end(73, "an earlier word\n");
        signals.set_sudden_end(73, "it lies there\n");
        for (int k = 0; k < 3; ++k) raise(SIGINT);
        _exit(1);
    });
    CHECK(code_of(end) == 73);
    CHECK(end.said == "it lies there\n");
    const End without = in_child([] {
        const EndSignals signals;
        signals.set_sudden_end(73, "it lies there\n");
        signals.set_sudden_end(0);
        for (int k = 0; k < 3; ++k) raise(SIGINT);
        _exit(1);
    });
    CHECK(code_of(without) == 0);
    CHECK(without.said.empty());
}

TEST_CASE("the limit of processor time asks once, however often it is told") {
    const End end = in_child([] {
        const EndSignals signals;
        for (int k = 0; k < 5; ++k) raise(SIGXCPU);
        if (signals.count() != 1 || signals.number() != SIGXCPU) _exit(1);
        raise(SIGINT);
        if (signals.count() != 2) _exit(2);
    });
    CHECK(code_of(end) == 0);
}

TEST_CASE("somebody else's alarm ends nothing") {
    const End end = in_child([] {
        const EndSignals signals;
        raise(SIGALRM);
        raise(SIGINT);
        raise(SIGALRM);
        if (signals.count() != 1) _exit(1);
    });
    CHECK(code_of(end) == 0);
}

TEST_CASE("a hangup that was ignored at the start stays ignored") {
    const End end = in_child([] {
        std::signal(SIGHUP, SIG_IGN);
        const EndSignals signals;
        raise(SIGHUP);
        if (signals.count() != 0) _exit(1);
        raise(SIGTERM);
        if (signals.count() != 1) _exit(2);
    });
    CHECK(code_of(end) == 0);
}

TEST_CASE("afterwards the signals do what they did before") {
    const End end = in_child([] {
        std::signal(SIGTERM, SIG_IGN);
        { const EndSignals signals; }
        raise(SIGTERM);
        const EndSignals again;
        if (again.count() != 0 || is_readable(again.fd())) _exit(1);
    });
    CHECK(code_of(end) == 0);
}

}  // namespace gainstage::test::end_signals_test
