#include "runtime/control/worker.hpp"

#include <system_error>
#include <utility>

namespace gainstage {

Worker::Worker(std::string name) : name_(std::move(name)) {
    constexpr std::size_t stack_bytes = std::size_t{1} << 20;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    const int error = pthread_create(&thread_, &attributes, &Worker::begin, this);
    pthread_attr_destroy(&attributes);
    if (error != 0) throw std::system_error(error, std::generic_category(), "no thread can be started");
}

Worker::~Worker() {
    {
        const std::lock_guard lock(mutex_);
        leaving_ = true;
    }
    work_there_.notify_one();
    pthread_join(thread_, nullptr);
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

void* Worker::begin(void* self) {
    auto& worker = *static_cast<Worker*>(self);
#if defined(__linux__)
    pthread_setname_np(pthread_self(), worker.name_.c_str());
#endif
    worker.work();
    return nullptr;
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
