#pragma once
/// Silence from libraries that talk to stderr on their own.

#include <fcntl.h>
#include <unistd.h>

namespace gainstage {

/// While it lives, nothing reaches stderr, from any thread: for the moments in which ALSA, JACK and
/// PulseAudio write some sixty lines about hardware that nobody asked for. Control thread.
class QuietStderr {
public:
    QuietStderr() : kept_(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) {
        const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (kept_ >= 0 && nowhere >= 0) dup2(nowhere, STDERR_FILENO);
        if (nowhere >= 0) close(nowhere);
    }
    ~QuietStderr() {
        if (kept_ < 0) return;
        dup2(kept_, STDERR_FILENO);
        close(kept_);
    }
    QuietStderr(const QuietStderr&) = delete;
    QuietStderr& operator=(const QuietStderr&) = delete;

private:
    const int kept_;
};

}  // namespace gainstage
