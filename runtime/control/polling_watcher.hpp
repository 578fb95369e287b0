#pragma once
/// A FileWatcher for every system: looks at the files again and again.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace gainstage {

/// Control thread. A file counts as written when two looks, 50 ms apart, find the same.
class PollingWatcher {
public:
    /// Replaces the set of files. Those that were watched before keep what is known about them.
    void watch(const std::vector<std::string>& files);
    /// Waits at most so long for a change; returns the files (as given to watch()) that have new content.
    std::vector<std::string> poll(std::chrono::milliseconds timeout);
    /// Nothing to wait on by poll(2): call poll() now and then.
    int fd() const noexcept { return -1; }

    static constexpr std::chrono::milliseconds interval{50};

private:
    /// What tells one content of a file from another without reading it.
    struct Look {
        std::uint64_t device = 0, inode = 0;  ///< inode 0: not there
        std::int64_t size = 0, modified_ns = 0;
        bool operator==(const Look&) const = default;
    };
    struct Watched {
        std::string file = {};
        Look known = {}, latest = {};
    };
    static Look look_at(const std::string& file);
    std::vector<std::string> look();

    std::vector<Watched> files_;
    std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace gainstage
