#include <chrono>
#include <thread>

#include "runtime/realtime/plan.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

namespace gainstage {

std::uint64_t read_ticks() noexcept GAINSTAGE_REALTIME {
#if defined(__x86_64__) || defined(__i386__)
    return __rdtsc();
#elif defined(__aarch64__)
    std::uint64_t ticks;
    asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

double ticks_per_second() {
    static const double rate = [] {
        using clock = std::chrono::steady_clock;
        const auto begin = clock::now();
        const std::uint64_t ticks = read_ticks();
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        const double seconds = std::chrono::duration<double>(clock::now() - begin).count();
        return static_cast<double>(read_ticks() - ticks) / seconds;
    }();
    return rate;
}

}  // namespace gainstage
