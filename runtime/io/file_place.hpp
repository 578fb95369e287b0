#pragma once
/// Where a file is to be written: a name in a folder that is held open. Whoever moves the folder or puts
/// another one there can't lead a writer elsewhere.

#include <sys/stat.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace gainstage {

/// Names the file, the system's reason and a remedy. Exit code 73.
struct WriteError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_cannot_write(const std::string& file, const std::string& cause);
/// `error`: the system's number (errno).
[[noreturn]] void throw_cannot_write(const std::string& file, int error);

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
    std::string name = {};         ///< in the folder; no link, unless it is_open_file
    bool is_there = false;         ///< something has the name, and `found` describes it
    bool is_open_file = false;     ///< an open file of a process (/dev/stdout)
    struct stat found = {};

    /// The path of another name in this folder, for messages and for those who look from outside.
    std::string path_of(const std::string& other) const;
    /// Where the folder is now: somebody may have moved it. "" where the system doesn't say.
    std::string present_folder() const;
};

/// Follows every link on the way, the last one too, even to a file that isn't there yet. In a folder that
/// others may write to, a link is followed only if it belongs to the user, to root, or to the folder's owner:
/// anybody else may have planted it. Throws WriteError that names `file`. Any thread.
FilePlace find_file_place(const std::string& file);

/// Makes a folder and those above it that are missing. Throws WriteError.
void make_folders(const std::string& folder);

}  // namespace gainstage
