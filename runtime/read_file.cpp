#include "runtime/read_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/foreign_bytes.hpp"
#include "runtime/limits.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

namespace {

constexpr std::size_t buffer_bytes = 1 << 16;

std::string a(std::string_view noun) {
    const bool has_vowel = !noun.empty() && std::string_view("aeiou").find(noun[0]) != std::string_view::npos;
    return fmt::format("{} {} file", has_vowel ? "an" : "a", noun);
}

[[noreturn]] void refuse_to_open(const PathFault& fault) {
    if (fault.error == ENOENT || fault.error == ENOTDIR)
        throw FileFault(no_such_file(fault), sysexits::not_found);
    if (fault.error == EACCES) throw FileFault("can't be read; check its permissions", sysexits::not_found);
    throw FileFault(fmt::format("can't be opened: {}", fault.what()),
                    is_of_a_limit(fault.error) ? sysexits::environment : sysexits::not_found);
}

Descriptor opened(const std::string& file) {
    try {
        return open_to_read(file);
    } catch (const PathFault& fault) {
        refuse_to_open(fault);
    }
}

[[noreturn]] void refuse_size(std::string_view noun, std::size_t most) {
    throw FileFault(fmt::format("larger than {} MiB; that is no {}", most >> 20, noun), sysexits::bad_data);
}

}  // namespace

InputFile::InputFile(const std::string& file, std::string_view noun) : fd_(opened(file)) {
    struct stat status {};
    const bool is_known = fstat(fd_.get(), &status) == 0;
    const std::string cause = !is_known                 ? std::strerror(errno)
                              : S_ISDIR(status.st_mode) ? "a folder; expected " + a(noun)
                              : S_ISREG(status.st_mode) ? ""
                                                        : "not a regular file; expected " + a(noun);
    if (!cause.empty()) throw FileFault(cause, sysexits::not_found);
    size_ = static_cast<std::uintmax_t>(status.st_size);
}

std::size_t InputFile::read(char* to, std::size_t most) {
    std::size_t done = 0;
    while (done < most) {
        const ssize_t count = ::read(fd_.get(), to + done, most - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            throw FileFault(
                fmt::format("can't be read from byte {} on: {}", read_ + done, std::strerror(errno)),
                sysexits::not_found);
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    read_ += done;
    return done;
}

std::string read_whole_file(const std::string& file, std::string_view noun, std::size_t most) {
    InputFile input(file, noun);
    if (input.size() > most) refuse_size(noun, most);
    std::string bytes;
    // The size may be wrong: the file may be growing, and the system's own files say 0.
    for (std::size_t wanted = static_cast<std::size_t>(input.size()) + 1;; wanted = buffer_bytes) {
        const std::size_t begin = bytes.size();
        bytes.resize(begin + wanted);
        const std::size_t count = input.read(bytes.data() + begin, wanted);
        bytes.resize(begin + count);
        if (bytes.size() > most) refuse_size(noun, most);
        if (count < wanted) return bytes;
    }
}

LineReader::LineReader(const std::string& file, std::string_view noun, std::size_t longest_line)
    : file_(file, noun), longest_line_(longest_line) {
    fill();
    // A power cut leaves zeros at the end of a file that grew. They are a line that was cut off.
    const std::string_view text(buffer_.data(), buffer_.find_last_not_of('\0') + 1);
    if (const std::string cause = no_text(text.empty() ? std::string_view(buffer_) : text); !cause.empty())
        throw FileFault(cause, sysexits::bad_data);
    at_ = buffer_.size() - without_mark(buffer_).size();
}

/// False at the end of the file.
bool LineReader::fill() {
    buffer_.resize(buffer_bytes);
    buffer_.resize(file_.read(buffer_.data(), buffer_.size()));
    at_ = 0;
    return !buffer_.empty();
}

bool LineReader::next(std::string& line) {
    line.clear();
    has_line_end_ = false;
    bool is_there = false;
    while (at_ < buffer_.size() || fill()) {
        if (std::exchange(skips_line_feed_, false) && buffer_[at_] == '\n') {
            ++at_;
            continue;
        }
        is_there = true;
        const std::size_t end = std::min(buffer_.find_first_of("\r\n", at_), buffer_.size());
        line.append(buffer_, at_, end - at_);
        if (line.size() > longest_line_)
            throw FileFault(
                fmt::format("a line is longer than {} MiB; is this the right file?", longest_line_ >> 20),
                sysexits::bad_data);
        at_ = end;
        if (end == buffer_.size()) continue;
        has_line_end_ = true;
        skips_line_feed_ = buffer_[at_++] == '\r';
        return true;
    }
    return is_there;
}

}  // namespace gainstage
