#include "runtime/walk_path.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <filesystem>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

#include "runtime/system_reason.hpp"

namespace gainstage {

namespace fs = std::filesystem;

PathFault::PathFault(int number) : PathFault(system_reason(number), number, false) {}

std::string no_such_file(const PathFault& fault) {
    return fault.says_more ? fmt::format("no such file: {}", fault.what()) : "no such file";
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) close(fd_);
}

namespace {

constexpr int most_links = 40;  // as the kernel has it

#if defined(O_PATH)
constexpr int to_look_at = O_PATH | O_CLOEXEC;  // needs no right to read, and opens no device
#else
constexpr int to_look_at = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
#endif
constexpr int way_through = to_look_at | O_DIRECTORY;
constexpr int to_read = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

/// /proc/self/fd/1: a link that only looks like one.
bool names_open_file([[maybe_unused]] int folder) {
#if defined(__linux__)
    struct statfs system {};
    return fstatfs(folder, &system) == 0 && system.f_type == PROC_SUPER_MAGIC;
#else
    return false;
#endif
}

struct stat status_of(int fd) {
    struct stat found {};
    if (fstat(fd, &found) != 0) throw PathFault(errno);
    return found;
}

/// A folder of the user's own group is not shared with strangers: many systems give each user one.
bool lets_strangers_replace(const struct stat& folder) {
    const bool is_of_others = folder.st_mode & S_IWOTH;
    const bool is_of_a_group = (folder.st_mode & S_IWGRP) && folder.st_gid != getegid();
    return (is_of_others || is_of_a_group) && !(folder.st_mode & S_ISVTX);
}

/// A link, opened, so that it can't be exchanged between a look at its owner and a look at its target.
class Link {
public:
    Link(int folder, const std::string& name)
#if defined(O_PATH)
        : link_(openat(folder, name.c_str(), to_look_at | O_NOFOLLOW)) {
        if (link_.get() < 0) throw PathFault(errno);
        status_ = status_of(link_.get());
        read(link_.get(), "");
    }
#else
    {
        struct stat after {};
        const bool is_there = fstatat(folder, name.c_str(), &status_, AT_SYMLINK_NOFOLLOW) == 0;
        if (is_there) read(folder, name.c_str());
        if (!is_there || fstatat(folder, name.c_str(), &after, AT_SYMLINK_NOFOLLOW) != 0)
            throw PathFault(errno);
        if (after.st_ino != status_.st_ino) throw PathFault(ELOOP);
    }
#endif

    uid_t owner() const {
        return status_.st_uid;
    }
    const std::string& target() const {
        return target_;
    }

private:
    void read(int folder, const char* name) {
        char target[4096];
        const ssize_t size = readlinkat(folder, name, target, sizeof target);
        if (size < 0) throw PathFault(errno);
        target_.assign(target, static_cast<std::size_t>(size));
    }

    Descriptor link_;
    struct stat status_ {};
    std::string target_;
};

/// One walk from the first folder to the last name.
class Walk {
public:
    Walk(const std::string& file, Errand errand) : errand_(errand) { start(fs::path(file)); }

    FilePlace find() {
        for (;;) {
            const std::string name = take_name();
            const bool is_last = names_.empty();
            if (is_last && (name == "." || name == "..")) return folder_itself(name);
            note_if_loose();
            struct stat found {};
            const bool is_there = fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
            if (!is_there && errno != ENOENT) throw PathFault(errno);
            if (is_there && S_ISLNK(found.st_mode)) {
                if (is_last && names_open_file(folder_.get())) return open_file(name);
                follow(name);
            } else if (is_last) {
                if (!is_there && errand_ == Errand::read)
                    throw links_ ? missing("a link leads to {}, which is not there", name)
                                 : PathFault(ENOENT);
                return place(name, is_there, found);
            } else {
                if (!is_there) make(name);
                enter(name);
            }
        }
    }

private:
    /// The names that are still to come begin with those of `path`.
    void start(const fs::path& path) {
        if (path.is_absolute() || folder_.get() < 0) {
            walked_ = path.is_absolute() ? "/" : "";
            folder_ = Descriptor(open(path.is_absolute() ? "/" : ".", way_through));
            if (folder_.get() < 0) throw PathFault(errno);
        }
        std::deque<std::string> names;
        for (const fs::path& name : path.relative_path())
            if (!name.empty()) names.push_back(name.string());
        if (path.empty() || path.filename().empty()) names.emplace_back(".");  // "folder/"
        names_.insert(names_.begin(), names.begin(), names.end());
    }

    std::string take_name() {
        std::string name = std::move(names_.front());
        names_.pop_front();
        return name;
    }

    void note_if_loose() {
        if (loose_.empty() && lets_strangers_replace(status_of(folder_.get())))
            loose_ = walked_.empty() ? "." : walked_.string();
    }

    void make(const std::string& name) const {
        if (errand_ != Errand::make_folders) throw missing("there is no folder {}", name);
        if (mkdirat(folder_.get(), name.c_str(), 0777) != 0 && errno != EEXIST) throw PathFault(errno);
    }

    PathFault missing(fmt::format_string<const std::string&> words, const std::string& name) const {
        const std::string path = (walked_ / name).string();
        return PathFault(fmt::format(words, path), ENOENT);
    }

    void enter(const std::string& name) {
        Descriptor next(openat(folder_.get(), name.c_str(), way_through | O_NOFOLLOW));
        if (next.get() < 0 && errno == ENOTDIR)
            throw PathFault(fmt::format("{} is no folder", (walked_ / name).string()), ENOTDIR);
        if (next.get() < 0) throw PathFault(errno);
        folder_ = std::move(next);
        walked_ /= name;
    }

    void follow(const std::string& name) {
        if (++links_ > most_links) throw PathFault(ELOOP);
        std::string target;
        {
            const Link link(folder_.get(), name);
            must_be_trusted(name, link);
            target = link.target();
        }  // closed, so that never more than two are open
        start(fs::path(target));
    }

    void must_be_trusted(const std::string& name, const Link& link) const {
        const struct stat folder = status_of(folder_.get());
        const mode_t shared = errand_ == Errand::read ? S_IWOTH : (S_IWGRP | S_IWOTH);
        if (!(folder.st_mode & shared)) return;
        if (link.owner() == geteuid() || link.owner() == 0 || link.owner() == folder.st_uid) return;
        throw PathFault(fmt::format("{} is a link that another user ({}) has put into a folder where {} may "
                                    "write; copy the file to a folder of your own, or name it directly",
                                    (walked_ / name).string(), link.owner(),
                                    folder.st_mode & S_IWOTH ? "everybody" : "its group"),
                        EPERM);
    }

    FilePlace place(const std::string& name, bool is_there, const struct stat& found) {
        return {.folder = std::move(folder_),
                .folder_name = walked_.string(),
                .name = name,
                .is_there = is_there,
                .found = found,
                .loose_folder = loose_};
    }

    FilePlace folder_itself(const std::string& name) {
        if (errand_ == Errand::write) throw PathFault("it is a folder", EISDIR);
        if (name == "..") enter(name);
        note_if_loose();
        const struct stat found = status_of(folder_.get());
        return place(".", true, found);
    }

    FilePlace open_file(const std::string& name) {
        struct stat found {};
        if (fstatat(folder_.get(), name.c_str(), &found, 0) != 0) throw PathFault(errno);
        FilePlace open = place(name, true, found);
        open.is_open_file = true;
        return open;
    }

    const Errand errand_;
    Descriptor folder_;
    fs::path walked_;
    std::deque<std::string> names_;
    std::string loose_;
    int links_ = 0;
};

bool is_device(const struct stat& found) {
    return S_ISCHR(found.st_mode) || S_ISBLK(found.st_mode);
}

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

FilePlace walk_path(const std::string& file, Errand errand) {
    if (file.empty()) throw PathFault(ENOENT);
    return Walk(file, errand).find();
}

Descriptor open_to_read(const std::string& file) {
    const FilePlace place = walk_path(file, Errand::read);
    const int links = place.is_open_file ? 0 : O_NOFOLLOW;
    Descriptor fd(openat(place.folder.get(), place.name.c_str(),
                         (is_device(place.found) ? to_look_at : to_read) | links));
    if (fd.get() < 0) throw PathFault(errno);
    return fd;
}

}  // namespace gainstage
