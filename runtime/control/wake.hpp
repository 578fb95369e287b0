#pragma once
/// A descriptor by which any thread, or a signal handler, wakes a thread that waits in poll(2).

namespace gainstage {

class Wake {
public:
    /// Throws std::runtime_error where the process has no descriptors left.
    Wake();
    ~Wake();
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;

    /// Any thread, signal handlers too. Never waits; several calls before the next clear() are one.
    void call() const noexcept;
    /// Readable from call() to clear().
    int fd() const noexcept { return ends_[0]; }
    void clear() const noexcept;

private:
    int ends_[2];  // to read, to write: one eventfd on Linux, a pipe elsewhere
};

}  // namespace gainstage
