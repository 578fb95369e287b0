#include "runtime/engine/builder.hpp"

#include <utility>

namespace gainstage {

BuilderThread::BuilderThread(Task wake) : wake_(std::move(wake)), thread_([this] { work(); }) {}

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
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(job), std::move(done)});
    }
    work_there_.notify_one();
}

void BuilderThread::take_up() {
    std::deque<Job> over;
    {
        const std::lock_guard lock(mutex_);
        over.swap(over_);
    }
    for (Job& job : over) job.done();
}

void BuilderThread::give_up() {
    std::deque<Job> forgotten, over;  // freed after the lock
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
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        busy_ = true;
        lock.unlock();
        job.job();
        lock.lock();
        over_.push_back(std::move(job));
        busy_ = false;
        job_over_.notify_all();
        if (!wake_) continue;
        lock.unlock();
        wake_();
        lock.lock();
    }
}

}  // namespace gainstage
