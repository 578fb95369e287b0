#include "runtime/thread.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "runtime/limits.hpp"

namespace gainstage {

namespace {

struct Beginning {
    std::string name;
    std::function<void()> work;
};

void* begin(void* given) {
    const std::unique_ptr<Beginning> beginning(static_cast<Beginning*>(given));
#if defined(__linux__)
    if (!beginning->name.empty()) pthread_setname_np(pthread_self(), beginning->name.c_str());
#endif
    beginning->work();
    return nullptr;
}

/// All but those that a thread brings upon itself by a fault, and the profiler's.
sigset_t signals_of_others() noexcept {
    sigset_t set;
    sigfillset(&set);
    for (const int own : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, SIGPROF})
        sigdelset(&set, own);
    return set;
}

/// While it lives, this thread hears no signals of others, nor do threads that it makes.
class Deafness {
public:
    Deafness() noexcept {
        const sigset_t others = signals_of_others();
        pthread_sigmask(SIG_BLOCK, &others, &before_);
    }
    ~Deafness() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Deafness(const Deafness&) = delete;
    Deafness& operator=(const Deafness&) = delete;

private:
    sigset_t before_;
};

class Attributes {
public:
    explicit Attributes(std::size_t stack_bytes) noexcept {
        pthread_attr_init(&attributes_);
        pthread_attr_setstacksize(&attributes_, stack_bytes);
    }
    ~Attributes() { pthread_attr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    const pthread_attr_t* get() const noexcept { return &attributes_; }

private:
    pthread_attr_t attributes_;
};

}  // namespace

Thread::Thread(std::string name, std::function<void()> work, std::size_t stack_bytes) {
    auto beginning = std::make_unique<Beginning>(Beginning{.name = std::move(name), .work = std::move(work)});
    const Attributes attributes(stack_bytes);
    int error = 0;
    {
        const Deafness deafness;
        error = pthread_create(&thread_, attributes.get(), begin, beginning.get());
    }
    if (error != 0)
        throw NoThread(fmt::format("no thread can be started{}{}: {}; {}",
                                   beginning->name.empty() ? "" : " for ", beginning->name,
                                   std::strerror(error), remedy_for_threads()));
    static_cast<void>(beginning.release());  // the thread's now
    is_there_ = true;
}

Thread::~Thread() {
    if (is_there_) std::terminate();
}

void Thread::join() noexcept {
    if (std::exchange(is_there_, false)) pthread_join(thread_, nullptr);
}

void Thread::detach() noexcept {
    if (std::exchange(is_there_, false)) pthread_detach(thread_);
}

void Thread::swap(Thread& other) noexcept {
    std::swap(thread_, other.thread_);
    std::swap(is_there_, other.is_there_);
}

void hear_signals() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
}

void take_realtime_priority(int priority) noexcept {
    if (priority <= 0) return;
    sched_param parameters{};
    parameters.sched_priority = priority;
    pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
}

void give_stacks_to_libraries() noexcept {
#if defined(__GLIBC__)
    pthread_attr_t attributes;
    if (pthread_getattr_default_np(&attributes) != 0) return;
    std::size_t bytes = 0;
    if (pthread_attr_getstacksize(&attributes, &bytes) == 0 && bytes < Thread::usual_stack_bytes &&
        pthread_attr_setstacksize(&attributes, Thread::usual_stack_bytes) == 0)
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
#endif
}

std::size_t free_stack_bytes() noexcept {
#if defined(__linux__)
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
    void* lowest = nullptr;
    std::size_t bytes = 0;
    const bool is_known = pthread_attr_getstack(&attributes, &lowest, &bytes) == 0;
    pthread_attr_destroy(&attributes);
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const auto end = reinterpret_cast<std::uintptr_t>(lowest);
    return is_known && here > end && here - end <= bytes ? here - end : 0;
#else
    return 128 * 1024;  // every system's usual stack has these
#endif
}

}  // namespace gainstage
