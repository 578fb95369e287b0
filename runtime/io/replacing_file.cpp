#include "runtime/io/replacing_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace gainstage {

namespace fs = std::filesystem;

void throw_cannot_write(const std::string& file, const std::string& cause) {
    throw WriteError(
        fmt::format("{}: cannot be written: {}; choose another place, or make room there", file, cause));
}

namespace {

/// Where a chain of links ends, if it does.
std::string followed(const std::string& file) {
    std::error_code error;
    const fs::path target = fs::canonical(file, error);
    return error ? file : target.string();
}

[[noreturn]] void fail(const std::string& file) {
    throw_cannot_write(file, std::strerror(errno));
}

}  // namespace

ReplacingFile::ReplacingFile(const std::string& file) : file_(file), target_(followed(file)) {
    struct stat before {};
    const bool exists = stat(target_.c_str(), &before) == 0;
    if (exists && S_ISDIR(before.st_mode)) throw_cannot_write(file_, "it is a folder");
    // Renaming asks the folder for permission, not the file: ask the file first.
    if (exists && access(target_.c_str(), W_OK) != 0) fail(file_);
    if (exists && !S_ISREG(before.st_mode)) {
        fd_ = open(target_.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd_ < 0) fail(file_);
        return;
    }
    open_beside();
    if (exists && fchmod(fd_, before.st_mode & 07777) != 0)
        errno = 0;  // not ours to decide: as a new file then
}

void ReplacingFile::open_beside() {
    const fs::path folder = fs::path(target_).parent_path();
    for (int n = 0; fd_ < 0; ++n) {
        beside_ = (folder / fmt::format(".gainstage-{}-{}.part", getpid(), n)).string();
        fd_ = open(beside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd_ < 0 && errno != EEXIST) {
            beside_.clear();
            fail(file_);
        }
    }
}

ReplacingFile::~ReplacingFile() {
    if (fd_ >= 0) close(fd_);
    if (!beside_.empty()) unlink(beside_.c_str());
}

void ReplacingFile::finish() {
    if (beside_.empty()) {
        if (close(std::exchange(fd_, -1)) != 0) fail(file_);
        return;
    }
    if (fsync(fd_) != 0) fail(file_);
    if (close(std::exchange(fd_, -1)) != 0) fail(file_);
    if (std::rename(beside_.c_str(), target_.c_str()) != 0) fail(file_);
    beside_.clear();
}

}  // namespace gainstage
