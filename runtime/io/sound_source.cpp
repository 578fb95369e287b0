#include "runtime/io/sound_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "runtime/io/sound_reader.hpp"
#include "runtime/limits.hpp"
#include "runtime/sysexits.hpp"
#include "runtime/system_reason.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

constexpr auto patience_for_a_writer = 3s;
constexpr std::size_t spool_bytes = 1 << 16;

[[noreturn]] void refuse_source(const std::string& file, const std::string& cause,
                                int exit_code = sysexits::not_found) {
    throw SoundFileError(fmt::format("{}: {}", file, cause), exit_code);
}

Descriptor open_source(const std::string& file) {
    try {
        return open_to_read(file);
    } catch (const PathFault& fault) {
        const bool is_missing = fault.error == ENOENT || fault.error == ENOTDIR;
        if (is_missing) refuse_source(file, "there is " + no_such_file(fault));
        refuse_source(file, fmt::format("can't be opened: {}", fault.what()),
                      is_of_a_limit(fault.error) ? sysexits::environment : sysexits::not_found);
    }
}

/// A file without a name, on the disk where temporary files lie.
int open_spool(const std::string& file) {
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::temp_directory_path(error);
    std::string name = (folder / "gainstage-XXXXXX").string();  // mkostemp() makes the last letters
    const int fd = error ? -1 : mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0)
        refuse_source(file,
                      fmt::format("the sound that comes through the pipe can't be kept: {}; set TMPDIR to a "
                                  "folder where you may write",
                                  error ? error.message() : std::strerror(errno)),
                      sysexits::cannot_write);
    unlink(name.c_str());
    return fd;
}

void write_spool(const std::string& file, int fd, const char* bytes, std::size_t count) {
    for (std::size_t done = 0; done < count;) {
        const ssize_t written = write(fd, bytes + done, count - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0)
            refuse_source(file,
                          fmt::format("what comes through the pipe can't be kept: {}; set TMPDIR to a folder "
                                      "with more room",
                                      std::strerror(errno)),
                          sysexits::cannot_write);
        done += static_cast<std::size_t>(written);
    }
}

/// Reads a pipe to its end. Waits for what its writers send, and 3 s for the first writer.
int spooled(const std::string& file, int pipe) {
    Descriptor spool(open_spool(file));
    std::array<char, spool_bytes> bytes{};
    const auto latest = std::chrono::steady_clock::now() + patience_for_a_writer;
    bool has_begun = false;
    while (true) {
        const ssize_t count = read(pipe, bytes.data(), bytes.size());
        if (count > 0) {
            has_begun = true;
            write_spool(file, spool.get(), bytes.data(), static_cast<std::size_t>(count));
        } else if (count < 0 && errno == EAGAIN) {  // somebody has it open for writing
            has_begun = true;
            pollfd wait{.fd = pipe, .events = POLLIN, .revents = 0};
            poll(&wait, 1, -1);
        } else if (count < 0 && errno != EINTR) {
            refuse_source(file, fmt::format("the pipe can't be read: {}", std::strerror(errno)));
        } else if (count == 0) {
            if (has_begun) return spool.release();
            if (std::chrono::steady_clock::now() > latest)
                refuse_source(file, "not a sound file that can be read: a pipe that nobody writes to");
            std::this_thread::sleep_for(10ms);
        }
    }
}

SoundSource& source_of(void* user) {
    return *static_cast<SoundSource*>(user);
}

}  // namespace

SoundSource::SoundSource(const std::string& file) {
    Descriptor opened = open_source(file);
    struct stat status {};
    if (fstat(opened.get(), &status) != 0) refuse_source(file, std::strerror(errno));
    if (S_ISDIR(status.st_mode)) refuse_source(file, "a folder; expected a sound file");
    if (S_ISREG(status.st_mode)) {
        fd_ = std::move(opened);
    } else if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
        fd_ = Descriptor(spooled(file, opened.get()));
        fstat(fd_.get(), &status);
    } else {
        refuse_source(file, "not a sound file that can be read: a device");
    }
    file_bytes_ = status.st_size;
}

std::size_t SoundSource::read_at(std::int64_t at, void* to, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
        const ssize_t got =
            pread(fd_.get(), static_cast<char*>(to) + done, count - done, at + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) error_ = errno;
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

std::string SoundSource::read_text(std::int64_t at, std::size_t count) {
    std::string bytes(count, '\0');
    bytes.resize(read_at(at, bytes.data(), count));
    return bytes;
}

void SoundSource::replace_head(std::string head, std::int64_t replaced) {
    head_ = std::move(head);
    replaced_ = replaced;
}

std::int64_t SoundSource::seen_bytes() const noexcept {
    return static_cast<std::int64_t>(head_.size()) + file_bytes_ - replaced_;
}

sf_count_t SoundSource::read_seen(void* to, sf_count_t count) {
    const auto head_bytes = static_cast<std::int64_t>(head_.size());
    auto* bytes = static_cast<char*>(to);
    std::int64_t done = 0;
    if (at_ < head_bytes) {
        done = std::min<std::int64_t>(count, head_bytes - at_);
        std::memcpy(bytes, head_.data() + at_, static_cast<std::size_t>(done));
    }
    if (done < count)
        done += static_cast<std::int64_t>(read_at(at_ + done - head_bytes + replaced_, bytes + done,
                                                  static_cast<std::size_t>(count - done)));
    at_ += done;
    if (done < count && error_ == 0) hit_the_end_ = true;
    return done;
}

sf_count_t SoundSource::seek(sf_count_t offset, int whence) {
    const std::int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? at_ : seen_bytes();
    at_ = std::max<std::int64_t>(0, from + offset);
    return at_;
}

SF_VIRTUAL_IO SoundSource::functions() {
    return {.get_filelen = [](void* user) -> sf_count_t { return source_of(user).seen_bytes(); },
            .seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
                return source_of(user).seek(offset, whence);
            },
            .read = [](void* to, sf_count_t count, void* user) -> sf_count_t {
                return source_of(user).read_seen(to, count);
            },
            .write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; },
            .tell = [](void* user) -> sf_count_t { return source_of(user).at_; }};
}

std::string sound_library_reason(SNDFILE* file) {
    const std::string text = sf_strerror(file);
    return text.substr(0, text.find_last_not_of(". ") + 1);
}

SoundHandle SoundSource::open(SF_INFO& info) {
    at_ = 0;
    error_ = 0;
    hit_the_end_ = false;
    SF_VIRTUAL_IO io = functions();
    return SoundHandle(sf_open_virtual(&io, SFM_READ, &info, this));
}

}  // namespace gainstage
