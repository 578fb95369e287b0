#pragma once
/// A FileWatcher for every system: looks at the files again and again.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gainstage {

/// Control thread. A file counts as written when two looks, one interval apart, find the same.
class PollingWatcher {
public:
    explicit PollingWatcher(std::chrono::milliseconds every = interval) : every_(every) {}

    /// Replaces the set of files. Those that were watched before keep what is known about them.
    void watch(const std::vector<std::string>& files);
    /// The files (as given to watch()) that have new content. Never waits; before next_look() it does
    /// nothing.
    std::vector<std::string> look();
    /// Somebody else has reported the file: what it is now is known.
    void know(const std::string& file);
    /// It watches something.
    bool is_at_work() const noexcept { return !files_.empty(); }
    /// None: poll(2) passes over it.
    int fd() const noexcept { return -1; }
    std::optional<std::chrono::steady_clock::time_point> next_look() const { return next_look_; }

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

    const std::chrono::milliseconds every_;
    std::vector<Watched> files_;
    std::chrono::steady_clock::time_point next_look_{};
};

}  // namespace gainstage
