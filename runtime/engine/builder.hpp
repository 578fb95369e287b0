#pragma once
/// Long work beside the control thread: reading, building and warming what is to play next.

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>

#include "runtime/thread.hpp"

namespace gainstage {

/// Does jobs one at a time, in the order in which they came. All calls: control thread.
class Builder {
public:
    using Task = std::function<void()>;
    virtual ~Builder() = default;

    /// Runs `job`, then `done` on the control thread. A job may run on another thread: it must not throw, and
    /// nobody else may write what it reads. `done` may call run() again. Throws std::bad_alloc, and then does
    /// nothing.
    virtual void run(Task job, Task done) = 0;
    /// Runs `done` of every job that is over. Never waits.
    virtual void take_up() = 0;
    /// Waits for the job that is running and forgets all jobs, with their `done`. Call it before you free
    /// what a job may read.
    virtual void give_up() = 0;
};

/// Runs job and `done` before run() returns: offline, where results may not depend on a clock.
class AtOnceBuilder final : public Builder {
public:
    void run(Task job, Task done) override {
        job();
        done();
    }
    void take_up() override {}
    void give_up() override {}
};

/// Has a thread of its own: on stage, where the control thread must answer meanwhile.
class BuilderThread final : public Builder {
public:
    /// `wake` is called on the builder's thread whenever a job is over, so that the control thread can take
    /// it up at once instead of at its next turn. Throws NoThread.
    explicit BuilderThread(Task wake = {});
    /// Waits for the job that is running.
    ~BuilderThread() override;
    BuilderThread(const BuilderThread&) = delete;
    BuilderThread& operator=(const BuilderThread&) = delete;

    void run(Task job, Task done) override;
    void take_up() override;
    void give_up() override;

private:
    struct Job {
        Task job, done;
    };
    void work();

    const Task wake_;
    std::mutex mutex_;  ///< held for a few moves of pointers only; the audio thread never takes it
    std::condition_variable work_there_, job_over_;
    std::list<Job> waiting_, over_;  // a job keeps its node, so only run() needs memory
    bool busy_ = false, leaving_ = false;
    Thread thread_;
};

}  // namespace gainstage
