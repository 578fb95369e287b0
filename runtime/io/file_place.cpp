#include "runtime/io/file_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

#include "runtime/system_reason.hpp"

namespace gainstage {

namespace fs = std::filesystem;

void throw_cannot_write(const std::string& file, const std::string& cause) {
    throw WriteError(
        fmt::format("{}: cannot be written: {}; choose another place, or make room there", file, cause));
}

void throw_cannot_write(const std::string& file, int error) {
    if (is_lack_of_descriptors(error))  // another place would not help
        throw WriteError(fmt::format("{}: cannot be written: {}", file, system_reason(error)));
    throw_cannot_write(file, std::strerror(error));
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) close(fd_);
}

namespace {

constexpr int most_links = 40;  // as the kernel has it

#if defined(O_PATH)
constexpr int way_through = O_PATH | O_DIRECTORY | O_CLOEXEC;  // needs no right to read the folder
#else
constexpr int way_through = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
#endif

/// /proc/self/fd/1: a link that only looks like one.
bool names_open_file([[maybe_unused]] int folder) {
#if defined(__linux__)
    struct statfs system {};
    return fstatfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
#else
    return false;
#endif
}

/// One walk from the first folder to the last name.
class Walk {
public:
    explicit Walk(const std::string& file) : file_(file) { start(fs::path(file)); }

    FilePlace find() {
        for (;;) {
            if (names_.empty()) throw_cannot_write(file_, "it is a folder");
            const std::string name = take_name();
            const bool is_last = names_.empty();
            struct stat found {};
            const bool is_there = fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
            if (!is_there && !(is_last && errno == ENOENT)) fail();
            if (is_last && (name == "." || name == "..")) throw_cannot_write(file_, "it is a folder");
            if (is_last && is_there && S_ISLNK(found.st_mode) && names_open_file(folder_.get()))
                return open_file(name);
            if (is_there && S_ISLNK(found.st_mode))
                follow(name, found);
            else if (is_last)
                return {.folder = std::move(folder_),
                        .folder_name = walked_.string(),
                        .name = name,
                        .is_there = is_there,
                        .found = found};
            else
                enter(name);
        }
    }

private:
    [[noreturn]] void fail() const { throw_cannot_write(file_, errno); }

    /// The names that are still to come begin with those of `path`.
    void start(const fs::path& path) {
        if (path.is_absolute() || folder_.get() < 0) {
            walked_ = path.is_absolute() ? "/" : "";
            folder_ = Descriptor(open(path.is_absolute() ? "/" : ".", way_through));
            if (folder_.get() < 0) fail();
        }
        std::deque<std::string> names;
        for (const fs::path& name : path.relative_path())
            if (!name.empty()) names.push_back(name.string());
        if (!path.empty() && path.filename().empty()) names.emplace_back(".");  // "folder/"
        names_.insert(names_.begin(), names.begin(), names.end());
    }

    std::string take_name() {
        std::string name = std::move(names_.front());
        names_.pop_front();
        return name;
    }

    void enter(const std::string& name) {
        Descriptor next(openat(folder_.get(), name.c_str(), way_through | O_NOFOLLOW));
        if (next.get() < 0) fail();
        folder_ = std::move(next);
        walked_ /= name;
    }

    void follow(const std::string& name, const struct stat& link) {
        if (++links_ > most_links) throw_cannot_write(file_, ELOOP);
        must_be_trusted(name, link);
        char target[4096];
        const ssize_t size = readlinkat(folder_.get(), name.c_str(), target, sizeof target);
        if (size < 0) fail();
        start(fs::path(std::string(target, static_cast<std::size_t>(size))));
    }

    void must_be_trusted(const std::string& name, const struct stat& link) const {
        struct stat folder {};
        if (fstat(folder_.get(), &folder) != 0) fail();
        if (!(folder.st_mode & (S_IWGRP | S_IWOTH))) return;
        if (link.st_uid == geteuid() || link.st_uid == 0 || link.st_uid == folder.st_uid) return;
        throw_cannot_write(file_,
                           fmt::format("{} is a link that another user ({}) has put into a folder where "
                                       "everybody may write",
                                       (walked_ / name).string(), link.st_uid));
    }

    FilePlace open_file(const std::string& name) {
        struct stat found {};
        if (fstatat(folder_.get(), name.c_str(), &found, 0) != 0) fail();
        return {.folder = std::move(folder_),
                .folder_name = walked_.string(),
                .name = name,
                .is_there = true,
                .is_open_file = true,
                .found = found};
    }

    const std::string file_;
    Descriptor folder_;
    fs::path walked_;
    std::deque<std::string> names_;
    int links_ = 0;
};

}  // namespace

std::string FilePlace::path_of(const std::string& other) const {
    return (fs::path(folder_name) / other).string();
}

std::string FilePlace::present_folder() const {
#if defined(__linux__)
    std::error_code error;
    const fs::path now = fs::read_symlink(fmt::format("/proc/self/fd/{}", folder.get()), error);
    return error ? std::string() : now.string();
#else
    return {};
#endif
}

FilePlace find_file_place(const std::string& file) {
    if (file.empty()) throw_cannot_write("\"\"", "the name is empty");
    return Walk(file).find();
}

void make_folders(const std::string& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw_cannot_write(folder, error.message());
    if (!fs::is_directory(folder, error)) throw_cannot_write(folder, "it is no folder");
}

}  // namespace gainstage
