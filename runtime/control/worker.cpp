#include "runtime/control/worker.hpp"

#include <utility>

namespace gainstage {

Worker::Worker(std::string name) : thread_(std::move(name), [this] { work(); }) {}

Worker::~Worker() {
    {
        const std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    work_there_.notify_one();
    thread_.join();
}

void Worker::run(std::function<void()> job) {
    std::list<std::function<void()>> one;
    one.push_back(std::move(job));
    {
        const std::lock_guard lock(mutex_);
        waiting_.splice(waiting_.end(), one);
    }
    work_there_.notify_one();
}

bool Worker::is_busy() const {
    const std::lock_guard lock(mutex_);
    return busy_ || !waiting_.empty();
}

void Worker::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_there_.wait(lock, [this] { return leaving_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        {
            std::list<std::function<void()>> one;  // the job is freed without the lock
            one.splice(one.end(), waiting_, waiting_.begin());
            busy_ = true;
            lock.unlock();
            one.front()();
        }
        lock.lock();
        busy_ = false;
    }
}

}  // namespace gainstage
