#pragma once
/// A FileWatcher for Linux: the system says at once which file was closed after writing, or renamed.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace gainstage {

/// Control thread.
class InotifyWatcher {
public:
    /// Throws std::system_error when the system has no watchers left.
    InotifyWatcher();
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
    /// When look() has something to do although fd() is silent; none: never.
    std::optional<std::chrono::steady_clock::time_point> next_look() const;

private:
    struct Watched {
        std::string file = {};
        bool is_due = false;  ///< something happened to it
    };
    /// A name that matters to a file: its own, and that of every symbolic link on the way to it.
    struct Step {
        std::string folder = {}, name = {};
        std::size_t file = 0;
        int watch = -1;  ///< inotify's number for the folder; -1: the folder is not there
    };

    void find_ways();
    void add_way(std::size_t file);
    void find_lost_folders();
    bool take_events();
    bool take(int watch, unsigned mask, const std::string& name);
    std::vector<std::string> finished();

    const int fd_;
    std::vector<Watched> files_;
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
