#include "runtime/control/polling_watcher.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

namespace gainstage {

PollingWatcher::Look PollingWatcher::look_at(const std::string& file) {
    struct stat found {};
    if (stat(file.c_str(), &found) != 0) return {};
#if defined(__APPLE__)
    const timespec modified = found.st_mtimespec;
#else
    const timespec modified = found.st_mtim;
#endif
    return {.device = static_cast<std::uint64_t>(found.st_dev),
            .inode = static_cast<std::uint64_t>(found.st_ino),
            .size = static_cast<std::int64_t>(found.st_size),
            .modified_ns = std::int64_t{modified.tv_sec} * 1'000'000'000 + modified.tv_nsec};
}

void PollingWatcher::watch(const std::vector<std::string>& files) {
    std::vector<Watched> next;
    for (const std::string& file : files) {
        const auto same = [&](const Watched& watched) { return watched.file == file; };
        if (std::any_of(next.begin(), next.end(), same)) continue;
        const auto before = std::find_if(files_.begin(), files_.end(), same);
        const Look now = look_at(file);
        next.push_back(before != files_.end() ? *before : Watched{.file = file, .known = now, .latest = now});
    }
    files_ = std::move(next);
}

void PollingWatcher::know(const std::string& file) {
    for (Watched& watched : files_)
        if (watched.file == file) watched.known = watched.latest = look_at(file);
}

std::vector<std::string> PollingWatcher::look() {
    std::vector<std::string> changed;
    if (std::chrono::steady_clock::now() < next_look_) return changed;
    next_look_ = std::chrono::steady_clock::now() + every_;
    for (Watched& watched : files_) {
        const Look now = look_at(watched.file);
        const bool is_settled = now == std::exchange(watched.latest, now);
        if (!is_settled || now == watched.known) continue;
        watched.known = now;
        if (now.inode != 0) changed.push_back(watched.file);
    }
    return changed;
}

}  // namespace gainstage
