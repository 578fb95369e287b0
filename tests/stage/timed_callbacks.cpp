#include "tests/stage/timed_callbacks.hpp"

#include <dlfcn.h>
#include <jack/jack.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

namespace gainstage::test {

namespace {

struct Timed {
    std::string client;
    JackProcessCallback callback = nullptr;
    void* context = nullptr;
    std::vector<double> us = std::vector<double>(TimedCallbacks::periods);
    std::atomic<int> count{0};
};

bool is_timing = false;
std::vector<std::unique_ptr<Timed>> all_timed;

int play_timed(jack_nframes_t frames, void* self) {
    auto& timed = *static_cast<Timed*>(self);
    const auto begin = std::chrono::steady_clock::now();
    const int status = timed.callback(frames, timed.context);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
    const int at = timed.count.load(std::memory_order_relaxed);
    if (at == TimedCallbacks::periods) return status;
    timed.us[at] = took.count();
    timed.count.store(at + 1, std::memory_order_release);
    return status;
}

const Timed& of_client(const std::string& client) {
    for (const auto& timed : all_timed)
        if (timed->client == client) return *timed;
    throw std::runtime_error("no callback of " + client + " is timed");
}

}  // namespace

TimedCallbacks::TimedCallbacks() {
    is_timing = true;
}
TimedCallbacks::~TimedCallbacks() {
    is_timing = false;
    all_timed.clear();
}

int TimedCallbacks::count(const std::string& client) const {
    return of_client(client).count.load(std::memory_order_acquire);
}

double TimedCallbacks::median_us(const std::string& client) const {
    std::vector<double> us = of_client(client).us;
    us.resize(static_cast<std::size_t>(count(client)));
    const auto middle = us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2);
    std::nth_element(us.begin(), middle, us.end());
    return *middle;
}

}  // namespace gainstage::test

/// Stands before libjack's own, in this program alone.
extern "C" int jack_set_process_callback(jack_client_t* client, JackProcessCallback callback, void* context) {
    using namespace gainstage::test;
    using Set = int (*)(jack_client_t*, JackProcessCallback, void*);
    static const auto set = reinterpret_cast<Set>(dlsym(RTLD_NEXT, "jack_set_process_callback"));
    if (!is_timing) return set(client, callback, context);
    auto timed = std::make_unique<Timed>();
    timed->client = jack_get_client_name(client);
    timed->callback = callback;
    timed->context = context;
    Timed* const kept = timed.get();
    all_timed.push_back(std::move(timed));
    return set(client, play_timed, kept);
}
