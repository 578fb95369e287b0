#pragma once
/// A FileWatcher for Linux: the system says at once which file was closed after writing, or renamed.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "runtime/control/polling_watcher.hpp"

namespace gainstage {

/// Control thread. Watches the folders of a file, for it may be replaced, and the file itself, for it may be
/// written by another name (a container mounts a single file, and the host writes to it). A file on a system
/// that may not tell of every change (a network folder) is looked at twice a second as well.
class InotifyWatcher {
public:
    using Tells = bool (*)(const std::string& file);
    /// `tells`: does the file's system tell of every change? Throws std::runtime_error when the system has no
    /// watchers left.
    explicit InotifyWatcher(Tells tells = &tells_of_changes);
    ~InotifyWatcher();
    InotifyWatcher(const InotifyWatcher&) = delete;
    InotifyWatcher& operator=(const InotifyWatcher&) = delete;

    /// Replaces the set of files. Those that were watched before keep what is known about them.
    void watch(const std::vector<std::string>& files);
    /// The files (as given to watch()) that have new content, each once. Never waits. Call it when fd() is
    /// readable, and at next_look().
    std::vector<std::string> look();
    /// Readable when something has happened.
    int fd() const noexcept { return fd_; }
    /// Not where other machines may write to the same files.
    static bool tells_of_changes(const std::string& file);
    /// When look() has something to do although fd() is silent; none: never.
    std::optional<std::chrono::steady_clock::time_point> next_look() const;

private:
    struct Watched {
        std::string file = {};
        bool is_due = false;  ///< something happened to it
        int watch = -1;       ///< inotify's number for the file itself; -1: it is not there
    };
    /// A name that matters to a file: its own, and that of every symbolic link on the way to it.
    struct Step {
        std::string folder = {}, name = {};
        std::size_t file = 0;
        int watch = -1;  ///< inotify's number for the folder; -1: the folder is not there
    };

    void find_ways();
    void add_way(std::size_t file);
    std::vector<std::string> settled();
    void find_lost_folders();
    bool take_events();
    bool take(int watch, unsigned what, const std::string& name);
    std::vector<std::string> finished();

    const int fd_;
    const Tells tells_;
    std::vector<Watched> files_;
    PollingWatcher silent_;  // those of which the system may not tell
    std::vector<Step> steps_;
    using Clock = std::chrono::steady_clock;
    Clock::time_point looked_at_{};
    /// One save is often several events: what they are about is reported when it has been quiet.
    struct Settling {
        Clock::time_point begin, quiet_at;
    };
    std::optional<Settling> settling_;
};

}  // namespace gainstage
