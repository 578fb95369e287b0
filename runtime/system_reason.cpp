#include "runtime/system_reason.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "runtime/limits.hpp"

namespace gainstage {

bool is_lack_of_descriptors(int error) {
    return error == EMFILE || error == ENFILE;
}

std::string system_reason(int error) {
    if (error == ELOOP) return "its links lead in a circle";
    if (error == ENFILE) return std::string(std::strerror(error)) + "; " + remedy_for_descriptors();
    if (error == ENOMEM) return std::string(std::strerror(error)) + "; " + remedy_for_memory();
    rlimit limit{};
    if (error != EMFILE || getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::strerror(error);
    return fmt::format("too many open files: {} are allowed; allow more: ulimit -n 256",
                       static_cast<unsigned long long>(limit.rlim_cur));
}

}  // namespace gainstage
