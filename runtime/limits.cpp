#include "runtime/limits.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>

namespace gainstage {

namespace {

rlim_t limit_of(auto resource) {
    rlimit limit{};
    return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/// "" where there is no limit.
std::string memory_limit() {
    const rlim_t bytes = limit_of(RLIMIT_AS);
    return bytes == RLIM_INFINITY
               ? ""
               : fmt::format("this program may take {} kB of memory (ulimit -v)", bytes / 1024);
}

}  // namespace

std::string remedy_for_threads() {
    const rlim_t threads = limit_of(RLIMIT_NPROC);
    const std::string memory = memory_limit();
    std::string text;
    if (threads != RLIM_INFINITY)
        text = fmt::format("this user may have {} processes and threads (ulimit -u)", threads);
    if (!memory.empty()) text += (text.empty() ? "" : ", and ") + memory;
    return (text.empty() ? "" : text + "; ") + "raise the limit, or end other programs";
}

std::string remedy_for_descriptors() {
    const rlim_t files = limit_of(RLIMIT_NOFILE);
    return files == RLIM_INFINITY ? "close other programs"
                                  : fmt::format("{} are allowed (ulimit -n); raise the limit", files);
}

std::string remedy_for_memory() {
    const std::string limit = memory_limit();
    return limit.empty() ? "end other programs" : limit + "; raise the limit";
}

bool is_of_a_limit(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOMEM;
}

}  // namespace gainstage
