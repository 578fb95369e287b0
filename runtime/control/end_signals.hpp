#pragma once
/// Ctrl-C, and what a service manager sends instead.

namespace gainstage {

/// While it lives, the first SIGINT or SIGTERM of the process only makes a descriptor readable. The second
/// ends the process at once with 0, whatever any thread waits for. One at a time.
class EndSignals {
public:
    EndSignals();
    ~EndSignals();
    EndSignals(const EndSignals&) = delete;
    EndSignals& operator=(const EndSignals&) = delete;

    /// Readable from the first signal on.
    int fd() const noexcept;
    /// One has come. Any thread.
    bool have_come() const noexcept;
};

}  // namespace gainstage
