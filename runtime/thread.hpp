#pragma once
/// Threads of our own, and what a thread needs before it can be relied on.

#include <pthread.h>

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>

namespace gainstage {

/// No thread is to be had. Says for what, why, and what to do.
struct NoThread : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A thread with a name and a stack of a size that we chose. The system's usual size is no measure: `ulimit
/// -s` makes it too small to play, or so large that locking it takes all the memory. It hears no signal that
/// could end a program: those are for the main thread. Not for the audio thread.
class Thread {
public:
    static constexpr std::size_t usual_stack_bytes = std::size_t{1} << 20;

    Thread() noexcept = default;
    /// `name`: at most 15 letters, as `top -H` shows it; "": its maker's. `work` must not throw. Throws
    /// NoThread.
    Thread(std::string name, std::function<void()> work, std::size_t stack_bytes = usual_stack_bytes);
    Thread(Thread&& other) noexcept { swap(other); }
    Thread& operator=(Thread&& other) noexcept {
        swap(other);
        return *this;
    }
    /// It must have been joined or detached, as a std::thread.
    ~Thread();

    bool joinable() const noexcept { return is_there_; }
    void join() noexcept;
    /// It goes on by itself.
    void detach() noexcept;

private:
    void swap(Thread& other) noexcept;

    pthread_t thread_{};
    bool is_there_ = false;
};

/// This thread hears every signal from here on. A parent may have blocked them all, and its children inherit
/// that: SIGTERM would be ignored.
void hear_signals() noexcept;

/// This thread becomes a real-time one (SCHED_FIFO), as a driver makes its own. 0: it stays as it is, as it
/// does without the right to.
void take_realtime_priority(int priority) noexcept;

/// Threads that libraries make have a stack of 1 MiB at least from here on.
void give_stacks_to_libraries() noexcept;

/// Bytes of this thread's stack that are still free; where the system doesn't say, what every thread has.
std::size_t free_stack_bytes() noexcept;

}  // namespace gainstage
