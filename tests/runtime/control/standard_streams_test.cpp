#include "runtime/control/standard_streams.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/support/catch.hpp"
#include "tests/support/in_child.hpp"

namespace gainstage::test::standard_streams_test {

namespace {

bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0;
}

}  // namespace

TEST_CASE("standard streams that were closed lead nowhere, and no file gets their numbers") {
    const int closed = GENERATE(range(0, 8));  // one bit for each
    INFO(closed);
    const End end = in_child([closed] {
        for (int k = 0; k < 3; ++k)
            if ((closed & (1 << k)) != 0) close(k);
        open_standard_streams();
        for (int k = 0; k < 3; ++k)
            if (!is_open(k)) _exit(1);
        if (open("/dev/zero", O_RDONLY) < 3) _exit(2);
        char byte = 0;
        if ((closed & 1) != 0 && read(STDIN_FILENO, &byte, 1) != 0) _exit(3);
        if ((closed & 2) != 0 && (write(STDOUT_FILENO, "x", 1) != -1 || errno != EBADF)) _exit(4);
        if ((closed & 4) != 0 && write(STDERR_FILENO, "x", 1) != 1) _exit(5);
    });
    CHECK(end.peaceful());
}

TEST_CASE("a handler that was there first stays") {
    const End end = in_child([] {
        static int heard = 0;
        std::signal(SIGPROF, [](int) { ++heard; });
        open_standard_streams();
        raise(SIGPROF);
        if (heard != 1) _exit(1);
    });
    CHECK(end.peaceful());
}

TEST_CASE("signals about output, and those that ask for nothing, are ignored; none is blocked") {
    const End end = in_child([] {
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, nullptr);
        open_standard_streams();
        for (const int number : {SIGPIPE, SIGXFSZ, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
                                 SIGIO, SIGRTMIN, SIGRTMAX})
            raise(number);
        sigset_t now;
        sigprocmask(SIG_SETMASK, nullptr, &now);
        for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM})
            if (sigismember(&now, number)) _exit(1);
    });
    CHECK(end.peaceful());
}

}  // namespace gainstage::test::standard_streams_test
