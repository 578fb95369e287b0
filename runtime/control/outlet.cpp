#include "runtime/control/outlet.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace gainstage {

namespace {

constexpr int first_own = 3;  // 0 to 2 are for standard input, output and error

bool waits_for_room(int error) {
    return error == EAGAIN || error == EWOULDBLOCK;
}

}  // namespace

Outlet::Outlet(int descriptor, Hold hold) noexcept
    : descriptor_(hold == Hold::borrow || descriptor == STDOUT_FILENO
                      ? -1
                      : fcntl(descriptor, F_DUPFD_CLOEXEC, first_own)) {
    if (descriptor_ >= 0) return;
    descriptor_ = descriptor;  // nobody turns it away, or the process has no descriptors left
    is_own_ = false;
}

Outlet::~Outlet() {
    if (is_own_) close(descriptor_);
}

bool Outlet::write(std::string_view text) noexcept {
    // What was cut must not run into what follows it: a line of JSON would be lost with it.
    if (is_cut_ && ::write(descriptor_, "\n", 1) == 1) is_cut_ = false;
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
        if (count > 0) {
            done += static_cast<std::size_t>(count);
            continue;
        }
        const int error = count < 0 ? errno : EIO;
        if (error == EINTR) continue;
        if (waits_for_room(error)) {  // somebody else has made the file non-blocking
            pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
            ::poll(&room, 1, -1);
            continue;
        }
        is_cut_ = is_cut_ || done > 0;
        return lose(error);
    }
    return true;
}

bool Outlet::is_ready() const noexcept {
    pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    return ::poll(&room, 1, 0) > 0;
}

bool Outlet::finish() noexcept {
    const int copy = fcntl(descriptor_, F_DUPFD_CLOEXEC, first_own);
    if (copy >= 0 && close(copy) != 0 && errno != EINTR) return lose(errno);
    return error_ == 0;
}

bool Outlet::lose(int error) noexcept {
    ++lost_;
    if (error_ == 0) error_ = error;
    return false;
}

}  // namespace gainstage
