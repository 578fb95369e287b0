#include "runtime/control/wake.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace gainstage {

Wake::Wake() {
    if (pipe(ends_) != 0) throw std::system_error(errno, std::generic_category(), "no pipe can be made");
    for (const int end : ends_) {
        fcntl(end, F_SETFL, O_NONBLOCK);
        fcntl(end, F_SETFD, FD_CLOEXEC);
    }
}

Wake::~Wake() {
    for (const int end : ends_) close(end);
}

void Wake::call() const noexcept {
    const int before = errno;  // a signal handler must leave it alone
    // A full pipe is readable, which is all that is wanted.
    [[maybe_unused]] const ssize_t count = write(ends_[1], "!", 1);
    errno = before;
}

void Wake::clear() const noexcept {
    char bytes[256];
    while (read(ends_[0], bytes, sizeof bytes) > 0) {
    }
}

}  // namespace gainstage
