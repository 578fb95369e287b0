#include "runtime/control/wake.hpp"

#include <fcntl.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif

#include <cerrno>
#include <cstdint>
#include <stdexcept>

#include "runtime/system_reason.hpp"

namespace gainstage {

namespace {

[[noreturn]] void refuse() {
    throw std::runtime_error("no thread can be woken: " + system_reason(errno));
}

}  // namespace

#if defined(__linux__)
Wake::Wake() {
    ends_[0] = ends_[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (ends_[0] < 0) refuse();
}

Wake::~Wake() {
    close(ends_[0]);
}
#else
Wake::Wake() {
    if (pipe(ends_) != 0) refuse();
    for (const int end : ends_) {
        fcntl(end, F_SETFL, O_NONBLOCK);
        fcntl(end, F_SETFD, FD_CLOEXEC);
    }
}

Wake::~Wake() {
    for (const int end : ends_) close(end);
}
#endif

void Wake::call() const noexcept {
    const int before = errno;  // a signal handler must leave it alone
    const std::uint64_t one = 1;
    // A full one is readable, which is all that is wanted.
    [[maybe_unused]] const ssize_t count = write(ends_[1], &one, sizeof one);
    errno = before;
}

void Wake::clear() const noexcept {
    char bytes[256];
    while (read(ends_[0], bytes, sizeof bytes) == sizeof bytes) {
    }
}

}  // namespace gainstage
