#pragma once
/// Calls of drivers and servers that may never come back, and callbacks that may come when nobody wants them.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <thread>
#include <utility>

#include "runtime/nonblocking.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

/// A server or a driver may hang, and its library waits for an answer without an end. So long is waited here:
/// for slow hardware to be found, and at the end of a performance.
inline constexpr std::chrono::seconds opening_patience{5}, stopping_patience{3};

/// Nobody knows what a library needs.
inline constexpr std::size_t library_stack_bytes = std::size_t{4} << 20;

/// Runs `work` on a thread of its own. True: it has returned, and is gone (what it threw is thrown here).
/// False: not within `limit`; it is left to itself, so it must own or share all that it touches. Control
/// thread.
template <class Work>
bool returns_within(std::chrono::milliseconds limit, Work work) {
    const auto task = std::make_shared<std::packaged_task<void()>>(std::move(work));
    std::future<void> done = task->get_future();
    Thread worker;
    try {
        worker = Thread(
            "", [task] { (*task)(); }, library_stack_bytes);
    } catch (const NoThread&) {
        (*task)();  // no thread is to be had: without patience then
    }
    if (done.wait_for(limit) != std::future_status::ready) {
        worker.detach();
        return false;
    }
    if (worker.joinable()) worker.join();
    done.get();
    return true;
}

/// The same for work that can't fail and must be done: on this thread where there is no memory for another.
template <class Work>
bool is_done_within(std::chrono::milliseconds limit, Work work) noexcept {
    try {
        return returns_within(limit, work);
    } catch (const std::bad_alloc&) {
        work();
        return true;
    }
}

/// Frees what a library may never come back from freeing. There is nobody to tell any more.
template <class Part>
void free_within(std::chrono::milliseconds limit, std::shared_ptr<Part> part) noexcept {
    try {
        static_cast<void>(returns_within(limit, [part = std::move(part)]() mutable { part.reset(); }));
    } catch (...) {  // no memory for another thread: it has been freed on this one
    }
}

/// JACK ends its threads by cancelling them wherever they are. That unwinds the stack, and not everything can
/// be unwound. So each callback runs undisturbed, and a cancellation waits for its end.
template <class Work>
void undisturbed(Work work) {
    int before = 0;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    work();
    pthread_setcancelstate(before, nullptr);
}

/// Stands before a driver's callback, so that it can be ended without the driver's help. One thread passes.
class CallbackGate {
public:
    /// The callback's visit; false: the gate is shut.
    class Pass {
    public:
        explicit Pass(CallbackGate& gate) noexcept GAINSTAGE_REALTIME
            : gate_(gate),
              is_open_((gate.state_.fetch_or(inside) & shut_for_good) == 0) {}
        ~Pass() { gate_.state_.fetch_and(~inside); }
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        explicit operator bool() const noexcept { return is_open_; }

    private:
        CallbackGate& gate_;
        const bool is_open_;
    };

    /// When it returns, no callback is inside, and none will come in again. Control thread.
    void shut() noexcept {
        for (unsigned state = state_.fetch_or(shut_for_good); (state & inside) != 0; state = state_.load())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }

private:
    static constexpr unsigned inside = 1, shut_for_good = 2;
    std::atomic<unsigned> state_{0};
};

}  // namespace gainstage
