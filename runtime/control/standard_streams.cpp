#include "runtime/control/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>

#include "runtime/control/session_code.hpp"

namespace gainstage {

namespace {

bool is_open(int descriptor) {
    return fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF;
}

/// Gets the lowest free number. Without /dev any file keeps the number taken, and writing to it fails.
int open_nothing() {
    const int nothing = open("/dev/null", O_RDWR);
    return nothing >= 0 ? nothing : open("/", O_RDONLY);
}

}  // namespace

void open_standard_streams() noexcept {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        if (!is_open(descriptor) && open_nothing() != descriptor) _exit(session_code::environment);
    for (const int number : {SIGPIPE, SIGXFSZ, SIGTTOU}) std::signal(number, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace gainstage
