#include "runtime/engine/builder.hpp"

#include <utility>

namespace gainstage {

namespace {
/// Text is read and models are built on it.
constexpr std::size_t builder_stack_bytes = std::size_t{4} << 20;
}  // namespace

BuilderThread::BuilderThread(Task wake)
    : wake_(std::move(wake)),
      thread_(
          "gainstage-build", [this] { work(); }, builder_stack_bytes) {}

BuilderThread::~BuilderThread() {
    give_up();
    {
        const std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    work_there_.notify_one();
    thread_.join();
}

void BuilderThread::run(Task job, Task done) {
    std::list<Job> one;
    one.push_back({std::move(job), std::move(done)});
    {
        const std::lock_guard lock(mutex_);
        waiting_.splice(waiting_.end(), one);
    }
    work_there_.notify_one();
}

/// What a `done` throws takes no other with it: those that are left are taken up next time.
void BuilderThread::take_up() {
    for (;;) {
        std::list<Job> one;
        {
            const std::lock_guard lock(mutex_);
            if (over_.empty()) return;
            one.splice(one.end(), over_, over_.begin());
        }
        one.front().done();
    }
}

void BuilderThread::give_up() {
    std::list<Job> forgotten, over;  // freed after the lock
    std::unique_lock lock(mutex_);
    forgotten.swap(waiting_);
    job_over_.wait(lock, [this] { return !busy_; });
    over.swap(over_);
    lock.unlock();
}

void BuilderThread::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_there_.wait(lock, [this] { return leaving_ || !waiting_.empty(); });
        if (leaving_) return;
        std::list<Job> one;
        one.splice(one.end(), waiting_, waiting_.begin());
        busy_ = true;
        lock.unlock();
        one.front().job();
        lock.lock();
        over_.splice(over_.end(), one);
        busy_ = false;
        job_over_.notify_all();
        if (!wake_) continue;
        lock.unlock();
        wake_();
        lock.lock();
    }
}

}  // namespace gainstage
