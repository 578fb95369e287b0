#include "runtime/io/quiet_stderr.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <mutex>

namespace gainstage {

namespace {

/// The first of several turns stderr away, the last brings it back.
struct Quiet {
    std::mutex mutex;
    int depth = 0;
    int kept = -1;  ///< the real stderr
};

Quiet& quiet() {
    static Quiet& forever = *new Quiet;  // a thread that a library holds may come back after main() is over
    return forever;
}

}  // namespace

QuietStderr::QuietStderr() {
    const std::lock_guard lock(quiet().mutex);
    if (quiet().depth++ > 0) return;
    quiet().kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (quiet().kept >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    if (nowhere >= 0) close(nowhere);
}

QuietStderr::~QuietStderr() {
    const std::lock_guard lock(quiet().mutex);
    if (--quiet().depth > 0 || quiet().kept < 0) return;
    dup2(quiet().kept, STDERR_FILENO);
    close(quiet().kept);
    quiet().kept = -1;
}

}  // namespace gainstage
