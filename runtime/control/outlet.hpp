#pragma once
/// Where text leaves the process: standard output or standard error.

#include <cstdint>
#include <string_view>

namespace gainstage {

/// A descriptor of its own for the same file, so that it is heard while QuietStderr turns stderr away. A text
/// that can't be written is lost and counted, and nothing else happens: no exception, no signal (the program
/// ignores SIGPIPE). One thread at a time.
class Outlet {
public:
    /// A descriptor that is borrowed, and standard output, must stay open for as long as this lives: it is
    /// used as it is.
    enum class Hold { own, borrow };
    explicit Outlet(int descriptor, Hold = Hold::own) noexcept;
    ~Outlet();
    Outlet(const Outlet&) = delete;
    Outlet& operator=(const Outlet&) = delete;

    /// False: at least a part of it is lost. Waits for a reader that is slow: behind a QueuedSink, or where
    /// waiting harms nobody.
    bool write(std::string_view text) noexcept;
    /// Something can be written now. False where a reader is paused.
    bool is_ready() const noexcept;
    /// What the system reports only when a file is closed (a quota, a network disk). False: some text is
    /// lost.
    bool finish() noexcept;

    int descriptor() const noexcept { return descriptor_; }
    /// The system's number (errno) of the first failure; 0: all texts have left.
    int error() const noexcept { return error_; }
    /// Texts that did not leave whole.
    std::uint64_t lost() const noexcept { return lost_; }

private:
    bool lose(int error) noexcept;

    int descriptor_;
    bool is_own_ = true;
    bool is_cut_ = false;  // the last text ended in the middle
    int error_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace gainstage
