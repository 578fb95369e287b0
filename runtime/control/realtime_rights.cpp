#include "runtime/control/realtime_rights.hpp"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <thread>

#include "runtime/realtime/stack.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

namespace {

/// With less than this to lock, what is loaded while playing could fail to load.
constexpr rlim_t ample_bytes = rlim_t{1} << 30;

#if defined(__linux__)
const char* const remedy =
    "to be allowed, write as root the lines \"@audio - rtprio 95\" and \"@audio - memlock unlimited\" to "
    "/etc/security/limits.d/audio.conf, join the group by \"sudo usermod -aG audio $USER\", and log in again";
#else
const char* const remedy = "this system gives it only to some processes: try as an administrator";
#endif

/// The limit in force, after it was made as large as this process may make it.
rlim_t raised_limit(auto resource) {
    rlimit limit{};
    if (getrlimit(resource, &limit) != 0) return RLIM_INFINITY;
    const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    return setrlimit(resource, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::string limit_text(const char* name, rlim_t limit, rlim_t unit, const char* unit_name) {
    if (limit == RLIM_INFINITY) return fmt::format("the limit ({}) allows it", name);
    return fmt::format("the limit ({}) is {}{}", name, limit / unit, unit_name);
}

/// CAP_IPC_LOCK: root has it, but not in every container.
bool locks_without_limit() {
    constexpr int cap_ipc_lock = 14;
    std::ifstream status("/proc/self/status");
    for (std::string key; status >> key;)
        if (key == "CapEff:") {
            std::uint64_t capabilities = 0;
            status >> std::hex >> capabilities;
            return (capabilities >> cap_ipc_lock & 1) != 0;
        }
    return false;
}

}  // namespace

std::vector<Refusal> check_realtime_priority(int priority) {
    std::string limit;
#if defined(__linux__)
    limit = limit_text("rtprio", raised_limit(RLIMIT_RTPRIO), 1, "") + ", the system says: ";
#endif
    int error = 0;
    try {
        Thread("", [&] {
            sched_param parameters{};
            parameters.sched_priority = priority;
            error = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
        }).join();
    } catch (const NoThread& cause) {
        return {{"nobody knows whether a real-time priority is granted", cause.what()}};
    }
    if (error == 0) return {};
    return {{fmt::format("real-time priority {} is refused ({}{})", priority, limit, std::strerror(error)),
             remedy}};
}

std::vector<Refusal> lock_memory() {
    const rlim_t limit = raised_limit(RLIMIT_MEMLOCK);
    const std::string reason = limit_text("memlock", limit, 1024, " kB");
    const bool is_ample = limit == RLIM_INFINITY || limit >= ample_bytes || locks_without_limit();
    if (is_ample && mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return {};
    if (!is_ample && mlockall(MCL_CURRENT) == 0)
        return {{fmt::format("memory that is taken while playing is not locked ({})", reason), remedy}};
    return {{fmt::format("locked memory is refused ({}, the system says: {})", reason, std::strerror(errno)),
             remedy}};
}

int usable_cores() noexcept {
#if defined(__linux__)
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) return CPU_COUNT(&cores);
#endif
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void prepare_worker(int priority) noexcept {
    pretouch_stack();
#if defined(__linux__)
    prctl(PR_SET_TIMERSLACK, 1UL);  // else threads without a real-time priority oversleep by 50 us
#endif
    take_realtime_priority(priority);
}

}  // namespace gainstage
