#pragma once
/// Writing a file so that the one that was there before is never lost.

#include <stdexcept>
#include <string>

namespace gainstage {

/// Names the file and the system's reason. Exit code 73.
struct WriteError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_cannot_write(const std::string& file, const std::string& cause);

/// A new file in the folder of its final place, renamed onto it by finish(). A symbolic link stays one: what
/// it points to is replaced. Devices (/dev/null) are written to as they are. Control thread.
class ReplacingFile {
public:
    /// Throws WriteError.
    explicit ReplacingFile(const std::string& file);
    /// Without finish() the new file is removed.
    ~ReplacingFile();
    ReplacingFile(const ReplacingFile&) = delete;
    ReplacingFile& operator=(const ReplacingFile&) = delete;

    /// Open for writing until finish().
    int fd() const noexcept { return fd_; }
    /// All is written: on disk, and then in its place. Throws WriteError.
    void finish();

private:
    void open_beside();

    const std::string file_;       // as given, for messages
    std::string target_, beside_;  // beside_ empty: written in place
    int fd_ = -1;
};

}  // namespace gainstage
