#include "runtime/system_reason.hpp"

#include <cerrno>
#include <cstring>

#include "runtime/limits.hpp"

namespace gainstage {

std::string system_reason(int error) {
    if (error == ELOOP) return "its links lead in a circle";
    if (error == EMFILE) return "too many open files: " + remedy_for_descriptors();
    std::string words = std::strerror(error);
    if (error == ENFILE) return words + "; close other programs, or raise fs.file-max";
    if (error == ENOMEM) return words + "; " + remedy_for_memory();
    return words;
}

}  // namespace gainstage
