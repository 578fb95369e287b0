#pragma once
/// The one way into a session: commands from any thread, and the results of work done on other threads.

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "runtime/control/command.hpp"
#include "runtime/control/wake.hpp"

namespace gainstage {

/// For threads that have time, and whose work must be done: does it again until there is memory for it.
template <class Step>
void patiently(Step step) noexcept {
    for (;;) {
        try {
            return step();
        } catch (const std::bad_alloc&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
}

/// Bounded. What happens to a command:
///
///   set      replaces a waiting `set` of the same address, which is refused ("replaced by a later one")
///   panic    never refused; where one waits already, that one serves both
///   quit     the same
///   others, and a set beyond the capacity: refused "busy"
///
/// Commands keep their order; the later `set` keeps its own place, so it overtakes nothing.
class Inbox {
public:
    static constexpr std::size_t default_capacity = 256;

    explicit Inbox(std::size_t capacity = default_capacity) : capacity_(capacity) {}

    /// Any thread; wakes the loop. Every command is answered once, sooner or later.
    void post(Command);
    /// Any thread of the session's own: `result` runs on the control thread. Never refused, for there are no
    /// more results than jobs under way. Without memory it waits for some: a result must not be lost.
    template <class Result>
    void bring(Result result) noexcept {
        patiently([&] { put(std::function<void()>(result)); });
    }
    /// Any thread: the loop turns at once.
    void wake() noexcept { wake_.call(); }

    struct Counts {
        std::uint64_t posted = 0;    ///< all that came
        std::uint64_t replaced = 0;  ///< sets
        std::uint64_t busy = 0;      ///< refused, because the inbox was full
    };
    /// Any thread.
    Counts counts() const;

    // ------------------------------------------------------------------------------ control thread
    /// Readable when something has come.
    int fd() const noexcept { return wake_.fd(); }
    struct Mail {
        std::vector<std::function<void()>> results;
        std::vector<Command> commands;
    };
    /// Takes all that has come, in its order.
    Mail take();

private:
    void put(std::function<void()>&& result);
    bool has(Command::Kind) const;
    /// Puts it in its place. What is left is answered by the caller, outside the lock.
    struct Left {
        Command command;
        bool done = false;
        std::string reason = {};
    };
    std::vector<Left> admit(Command&&);

    const std::size_t capacity_;
    const Wake wake_;
    mutable std::mutex mutex_;  // held for a few moves; the audio thread never takes it
    Mail mail_;
    Counts counts_;
};

}  // namespace gainstage
