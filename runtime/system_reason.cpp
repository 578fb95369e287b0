#include "runtime/system_reason.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace gainstage {

bool is_lack_of_descriptors(int error) {
    return error == EMFILE || error == ENFILE;
}

std::string system_reason(int error) {
    if (error == ELOOP) return "its links lead in a circle";
    rlimit limit{};
    if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::strerror(error);
    return fmt::format("too many open files: {} are allowed; allow more: ulimit -n 256",
                       static_cast<unsigned long long>(limit.rlim_cur));
}

}  // namespace gainstage
