#pragma once
/// From a path to a name in a folder that is held open. Whoever moves the folder or puts another one there
/// can't lead a reader or a writer elsewhere, and nobody's links lead them astray.

#include <sys/stat.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gainstage {

/// Why a path leads nowhere: the cause alone.
struct PathFault : std::runtime_error {
    PathFault(const std::string& cause, int number, bool says_more_ = true)
        : std::runtime_error(cause), error(number), says_more(says_more_) {}
    explicit PathFault(int number);
    int error;       ///< the system's (errno), EPERM for a link of a stranger
    bool says_more;  ///< than the system does: which folder is missing, where a link leads
};

/// "no such file", and why not where the name alone doesn't show it: "no such file: there is no folder
/// takes".
std::string no_such_file(const PathFault&);

/// Closes what it holds.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();

    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

struct FilePlace {
    Descriptor folder = Descriptor();
    std::string folder_name = {};  ///< as far as it was given; "" : the present folder
    std::string name = {};      ///< in the folder; no link, unless it is_open_file; "." : the folder itself
    bool is_there = false;      ///< something has the name, and `found` describes it
    bool is_open_file = false;  ///< an open file of a process (/dev/stdout)
    struct stat found = {};
    /// The first folder on the way where others may replace what is in it: they may write there, and it isn't
    /// sticky. "" : none.
    std::string loose_folder = {};

    /// The path of another name in this folder, for messages and for those who look from outside.
    std::string path_of(const std::string& other) const;
    /// Where the folder is now: somebody may have moved it. "" where the system doesn't say.
    std::string present_folder() const;
};

/// What the file is wanted for.
enum class Errand {
    read,         ///< strangers are those who share a folder with everybody
    write,        ///< and those who share it with a group
    make_folders  ///< the same; folders that are missing are made, the last one too
};

/// Follows every link on the way, the last one too, even to a file that isn't there yet. In a folder that
/// strangers may write to, a link is followed only if it belongs to the user, to root, or to the folder's
/// owner: a stranger may have planted it. The link that was judged is the one that is followed. Throws
/// PathFault. Any thread.
FilePlace walk_path(const std::string& file, Errand);

/// Opens what is to be read, by such a walk, without waiting for anybody. Devices are not opened: what comes
/// back for one can be looked at (fstat) and not read. Throws PathFault.
Descriptor open_to_read(const std::string& file);

}  // namespace gainstage
