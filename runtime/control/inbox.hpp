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
///   set          replaces a waiting `set` of the same address, which is refused ("replaced by a later one")
///   panic, quit  never refused; where one waits already, that one serves both
///   scene, song  never refused, and wait beyond the capacity: 1,024 of them, the oldest of which makes room
///                ("replaced by a later one")
///   master.mute  a set that is never refused
///   others       refused "busy" where as many wait as the capacity says
///
/// Commands keep their order; a later `set` keeps its own place, so it overtakes nothing.
class Inbox {
public:
    static constexpr std::size_t default_capacity = 256;
    static constexpr std::size_t most_choices = 1'024;  ///< scenes and songs that wait

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
    /// Takes all that has come, in its order; of the commands the first `most`.
    Mail take(std::size_t most = ~std::size_t{0});
    /// The next commands, `most` of them; none: no more wait.
    std::vector<Command> take_commands(std::size_t most);

private:
    void put(std::function<void()>&& result);
    /// A command that does not wait; the caller answers it, outside the lock.
    struct Left {
        Command command;
        bool done = false;
        std::string reason = {};
    };
    /// Puts it in its place.
    std::vector<Left> admit(Command&&);
    std::vector<Command> first_commands(std::size_t most);
    bool has(Command::Kind) const;
    /// The first waiting command that is so, taken out.
    template <class IsSo>
    void replace_first(IsSo is_so, std::vector<Left>& left);
    std::size_t count_of_urgent() const;

    const std::size_t capacity_;
    const Wake wake_;
    mutable std::mutex mutex_;  // held for a few moves; the audio thread never takes it
    Mail mail_;
    Counts counts_;
};

}  // namespace gainstage
