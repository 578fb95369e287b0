#pragma once
/// Reads files that somebody else wrote. A file is opened without waiting for anybody, and an error of the
/// disk is never taken for the end of the file.

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/walk_path.hpp"

namespace gainstage {

/// Why a file can't be read: cause and remedy, without the file's name.
struct FileFault : std::runtime_error {
    FileFault(const std::string& message, int code) : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< bad_data: too large or no text; not_found: not there, or can't be read
};

/// A regular file, open for reading; see open_to_read() for the links that are followed. Any thread but the
/// audio thread.
class InputFile {
public:
    /// Throws FileFault. `noun` is for messages: "patch", "automation", ... `file` is a name of any bytes.
    InputFile(const std::string& file, std::string_view noun);

    /// As the file system says; 0 for files that the system makes up (/proc).
    std::uintmax_t size() const noexcept { return size_; }
    /// The number of bytes that it has read: fewer than `most` only at the end of the file. Throws FileFault.
    std::size_t read(char* to, std::size_t most);

private:
    Descriptor fd_;
    std::uintmax_t size_ = 0, read_ = 0;
};

/// All bytes of a regular file of at most `most` bytes. Throws FileFault.
std::string read_whole_file(const std::string& file, std::string_view noun, std::size_t most);

/// A text file, line by line, for files that may be longer than the memory. Lines end in LF, CR LF or CR; a
/// byte-order mark is passed over.
class LineReader {
public:
    /// Throws FileFault, also for what is no text by its first bytes.
    LineReader(const std::string& file, std::string_view noun, std::size_t longest_line);

    /// False at the end. Throws FileFault.
    bool next(std::string& line);
    /// Whether the last line that next() gave had a line end: false for a file that was cut off.
    bool has_line_end() const noexcept { return has_line_end_; }

private:
    bool fill();

    InputFile file_;
    const std::size_t longest_line_;
    std::string buffer_;
    std::size_t at_ = 0;
    bool skips_line_feed_ = false, has_line_end_ = true;
};

}  // namespace gainstage
