#include "runtime/control/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "runtime/sysexits.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

namespace {

bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF;
}

/// Gets the lowest free number. Without /dev any file keeps the number taken, and writing to it fails.
int open_nothing(int descriptor) {
    const int nothing = open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR);
    return nothing >= 0 ? nothing : open("/", O_RDONLY);
}

void ignore(int number) {
    std::signal(number, SIG_IGN);
}

/// A handler that a profiler has put there stays.
void ignore_if_nobody_heeds(int number) {
    struct sigaction now {};
    if (sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) ignore(number);
}

}  // namespace

void open_standard_streams() noexcept {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (!is_open(descriptor) && open_nothing(descriptor) != descriptor) _exit(sysexits::environment);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGTTOU, SIGTTIN}) ignore(number);
    for (const int number : {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO})
        ignore_if_nobody_heeds(number);
#if defined(__linux__)
    ignore_if_nobody_heeds(SIGSTKFLT);
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) ignore_if_nobody_heeds(number);
#endif
    hear_signals();  // after those that are ignored: one may be waiting
}

}  // namespace gainstage
