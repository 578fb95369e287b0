#pragma once
/// A thread for what may take long: doors to hardware, files, terminals.

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <string>

#include "runtime/thread.hpp"

namespace gainstage {

/// Does jobs one at a time, in the order in which they came. Any thread.
class Worker {
public:
    /// `name`: of the thread, at most 15 letters. Throws NoThread.
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
    void work();

    mutable std::mutex mutex_;
    std::condition_variable work_there_;
    std::list<std::function<void()>> waiting_;
    bool busy_ = false, leaving_ = false;
    Thread thread_;  // last: it uses all that is above
};

}  // namespace gainstage
