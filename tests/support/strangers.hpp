#pragma once
/// Other users of the machine, whom only root can play.

#include <sys/types.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace gainstage::test {

inline constexpr uid_t stranger = 65'534;

/// False where this user can't make files of others, which is said.
inline bool can_play_strangers() {
    if (geteuid() == 0) return true;
    std::fprintf(stderr, "skipped: links of other users are planted by root\n");
    return false;
}

/// A link that belongs to `owner`, in place of what has its name.
inline void plant_link(const std::filesystem::path& target, const std::filesystem::path& link,
                       uid_t owner = stranger) {
    std::filesystem::remove(link);
    std::filesystem::create_symlink(target, link);
    if (lchown(link.c_str(), owner, owner) != 0) throw std::runtime_error("the link can't be given away");
}

}  // namespace gainstage::test
