#pragma once
/// A thread for what may take long: doors to hardware, files, terminals.

#include <pthread.h>

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>

namespace gainstage {

/// Does jobs one at a time, in the order in which they came. Any thread. Its stack is small (1 MiB), for all
/// stacks are locked in memory.
class Worker {
public:
    /// `name`: of the thread, at most 15 letters. Throws std::system_error where the system has no thread.
    explicit Worker(std::string name);
    /// Waits until all jobs are done.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// The job must not throw. Throws std::bad_alloc, and then does nothing.
    void run(std::function<void()> job);
    /// Something is under way or waits.
    bool is_busy() const;

private:
    static void* begin(void* self);
    void work();

    const std::string name_;
    mutable std::mutex mutex_;
    std::condition_variable work_there_;
    std::list<std::function<void()>> waiting_;
    bool busy_ = false, leaving_ = false;
    pthread_t thread_{};
};

}  // namespace gainstage
