#pragma once
/// A FileWatcher for Linux: the system says at once what was closed after writing or renamed.

#include <chrono>
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
    /// Waits at most so long for a change; returns the files (as given to watch()) that have new content,
    /// each once.
    std::vector<std::string> poll(std::chrono::milliseconds timeout);
    /// Becomes readable when poll() has something to do.
    int fd() const noexcept { return fd_; }

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
    std::chrono::milliseconds patience() const;
    bool wait(std::chrono::milliseconds) const;
    bool take_events();
    bool take(int watch, unsigned mask, const std::string& name);
    std::vector<std::string> finished();

    const int fd_;
    std::vector<Watched> files_;
    std::vector<Step> steps_;
};

}  // namespace gainstage
