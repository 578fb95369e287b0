#include "runtime/io/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>
#if defined(__linux__)
#include <linux/magic.h>
#include <sys/vfs.h>
#endif

#include "runtime/file_names.hpp"
#include "runtime/folder_names.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

constexpr mode_t private_mode = 0600;
constexpr int most_names = 10'000;

/// What a new file is allowed to others. Asked once: asking changes it for a moment.
mode_t ordinary_mode() {
    static const mode_t mode = [] {
        const mode_t mask = umask(077);
        umask(mask);
        return mode_t{0666} & ~mask;
    }();
    return mode;
}

constexpr std::string_view random_letters = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t random_length = 12;

std::string size_text(double bytes) {
    return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes * 1e-6) : fmt::format("{:.1f} GB", bytes * 1e-9);
}

bool is_same(const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Letters and digits that nobody can foresee, for what becomes `file`.
std::string random_name(const std::string& file) {
    std::array<unsigned char, random_length> bytes{};
    if (getentropy(bytes.data(), bytes.size()) != 0)
        throw WriteError(
            fmt::format("{}: cannot be written: the system gives no random numbers: {}; restart it", file,
                        std::strerror(errno)));
    std::string name;
    for (const unsigned char byte : bytes) name += random_letters[byte % random_letters.size()];
    return name;
}

/// Somebody who is at work on the file holds its lock.
bool is_locked(const std::string& file) {
    const Descriptor fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
    return fd.get() >= 0 && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// What the hidden files of a name begin and end with. A long name leaves room for the random one.
std::string hidden_begin(const std::string& name) {
    return "." + name.substr(0, 200) + ".";
}
constexpr std::string_view hidden_end = ".part";
constexpr std::time_t just_made_s = 10;  // it may not be locked yet

bool is_hidden_of(const std::string& file, const std::string& begin) {
    return file.size() == begin.size() + random_length + hidden_end.size() && file.starts_with(begin) &&
           file.ends_with(hidden_end) &&
           file.find_first_not_of(random_letters, begin.size()) == begin.size() + random_length;
}

/// Removes what programs have left that were killed at the work on this name. Those at work hold a lock.
void remove_left_behind(const FilePlace& place) {
    const std::string begin = hidden_begin(place.name);
    for (const std::string& name : names_in(place.folder_name)) {
        if (!is_hidden_of(name, begin)) continue;
        const Descriptor fd(
            openat(place.folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
        struct stat found {};
        if (fd.get() >= 0 && fstat(fd.get(), &found) == 0 && S_ISREG(found.st_mode) &&
            found.st_uid == geteuid() && std::time(nullptr) - found.st_mtime > just_made_s &&
            flock(fd.get(), LOCK_EX | LOCK_NB) == 0)
            unlinkat(place.folder.get(), name.c_str(), 0);
    }
}

/// The unfinished files beside `file` whose finished name (without a folder) `is_wanted`, in the order of
/// their names.
template <class IsWanted>
std::vector<std::string> unfinished_beside(const std::string& file, IsWanted is_wanted) {
    std::vector<std::string> found;
    const fs::path folder = fs::path(file).parent_path();
    for (const std::string& name : names_in(folder.string())) {
        const std::string finished = finished_name(name);
        const std::string path = (folder / name).string();
        struct stat what {};
        if (finished != name && is_wanted(finished) && lstat(path.c_str(), &what) == 0 &&
            S_ISREG(what.st_mode))
            found.push_back(path);
    }
    return found;
}

bool is_taken(const std::string& file) {
    struct stat found {};
    if (stat(file.c_str(), &found) == 0 && S_ISREG(found.st_mode)) return true;
    const auto growing = unfinished_beside(
        file, [&](const fs::path& finished) { return finished == fs::path(file).filename(); });
    return std::any_of(growing.begin(), growing.end(), is_locked);
}

/// "take-3.wav" is "take.wav" with a number.
bool is_numbered(const fs::path& file, const fs::path& of) {
    const std::string stem = of.stem().string() + "-", name = file.stem().string();
    return file.extension() == of.extension() && name.starts_with(stem) && name.size() > stem.size() &&
           name.find_first_not_of("0123456789", stem.size()) == name.npos;
}

/// Gives a name only if nobody has it. Not all file systems can.
int rename_to_free_name(int folder, const std::string& from, const std::string& to) {
#if defined(RENAME_NOREPLACE)
    const int result = renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE);
    if (result == 0 || (errno != EINVAL && errno != ENOSYS)) return result;
#endif
    if (linkat(folder, from.c_str(), folder, to.c_str(), 0) == 0) return unlinkat(folder, from.c_str(), 0);
    if (errno == EEXIST) return -1;
    struct stat found {};
    if (fstatat(folder, to.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(folder, from.c_str(), folder, to.c_str());
}

/// /dev/stdout of a program that was started without it, /dev/stdin: opening it anew would succeed, and
/// nobody would get what is written.
bool is_for_reading_only(const std::string& name, const struct stat& found) {
    struct stat open_file {};
    const bool is_number =
        !name.empty() && name.size() < 6 && name.find_first_not_of("0123456789") == name.npos;
    const int fd = is_number ? std::stoi(name) : -1;
    return fd >= 0 && fstat(fd, &open_file) == 0 && is_same(open_file, found) &&
           (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

}  // namespace

// ------------------------ to begin

NewFile::NewFile(const std::string& file, FileManner manner)
    : file_(file), manner_(manner), place_(find_file_place(file)), mode_(ordinary_mode()) {
    const mode_t kind = place_.found.st_mode;
    if (place_.is_there && S_ISDIR(kind)) throw_cannot_write(file_, "it is a folder");
    if (place_.is_there && !S_ISREG(kind) && !S_ISCHR(kind))
        throw_cannot_write(file_, S_ISBLK(kind) ? "it is a disk" : "it is a pipe, and a file is needed");
    if (place_.is_open_file || (place_.is_there && S_ISCHR(kind))) {
        open_in_place();
        return;
    }
    // Renaming asks the folder for permission, not the file: ask the file first.
    if (place_.is_there && faccessat(place_.folder.get(), place_.name.c_str(), W_OK, 0) != 0)
        throw_cannot_write(file_, errno);
    if (place_.is_there) mode_ = kind & 07777;
    if (manner_.is_private) mode_ = private_mode;
    open_beside();
}

void NewFile::open_in_place() {
    if (place_.is_open_file && is_for_reading_only(place_.name, place_.found))
        throw_cannot_write(file_, "it is not open for writing");
    const int links = place_.is_open_file ? 0 : O_NOFOLLOW;
    fd_ = Descriptor(openat(place_.folder.get(), place_.name.c_str(),
                            O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | links));
    if (fd_.get() < 0) throw_cannot_write(file_, errno);
    struct stat opened {};
    if (fstat(fd_.get(), &opened) != 0 || !is_same(opened, place_.found))
        throw_cannot_write(file_, "somebody exchanges it");
    fcntl(fd_.get(), F_SETFL, fcntl(fd_.get(), F_GETFL) & ~O_NONBLOCK);  // that was for opening
}

void NewFile::open_beside() {
    const bool is_visible = manner_.growth == FileManner::Growth::visible;
    if (!is_visible) remove_left_behind(place_);
    for (int n = 1; n < most_names; ++n) {
        if (make(is_visible
                     ? unfinished_name(place_.name, n)
                     : fmt::format("{}{}{}", hidden_begin(place_.name), random_name(file_), hidden_end))) {
            flock(fd_.get(), LOCK_EX | LOCK_NB);  // where there are locks
            return;
        }
        if (errno != EEXIST) break;
    }
    const int error = errno;
    struct stat folder {};
    if (error == ENOENT && fstat(place_.folder.get(), &folder) == 0 && folder.st_nlink == 0)
        throw_cannot_write(file_, "its folder has been deleted");
    throw_cannot_write(file_, error);
}

bool NewFile::make(const std::string& name) {
    fd_ = Descriptor(openat(place_.folder.get(), name.c_str(),
                            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_mode));
    if (fd_.get() >= 0) growing_ = name;
    return fd_.get() >= 0;
}

void NewFile::must_have_room(std::int64_t bytes) const {
    if (growing_.empty()) return;
#if defined(__linux__)
    struct statfs kind {};
    if (fstatfs(fd_.get(), &kind) == 0 && kind.f_type == MSDOS_SUPER_MAGIC && bytes > 0xFFFF'FFFF)
        throw_cannot_write(file_, fmt::format("it needs {}, and a file can't be longer than 4.3 GB there",
                                              size_text(static_cast<double>(bytes))));
#endif
    struct statvfs disk {};
    if (fstatvfs(fd_.get(), &disk) != 0 || disk.f_blocks == 0) return;  // nobody knows
    const double room = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    if (static_cast<double>(bytes) > room)
        throw_cannot_write(file_, fmt::format("it needs {}, and {} are free there",
                                              size_text(static_cast<double>(bytes)), size_text(room)));
}

// ------------------------ to write

bool NewFile::append(std::string_view text) noexcept {
    while (!text.empty()) {
        const ssize_t count = write(fd_.get(), text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool NewFile::sync() noexcept {
#if defined(__linux__)
    return growing_.empty() || fdatasync(fd_.get()) == 0;
#else
    return growing_.empty() || fsync(fd_.get()) == 0;
#endif
}

bool NewFile::is_deleted() const noexcept {
    struct stat file {};
    return !growing_.empty() && fstat(fd_.get(), &file) == 0 && file.st_nlink == 0;
}

// ------------------------ to end

NewFile::~NewFile() {
    if (manner_.growth == FileManner::Growth::hidden) discard();
}

void NewFile::discard() noexcept {
    if (!growing_.empty()) unlinkat(place_.folder.get(), growing_.c_str(), 0);
    growing_.clear();
}

std::string NewFile::finish() {
    if (growing_.empty()) {
        if (close(fd_.release()) != 0) throw_cannot_write(file_, errno);
        return file_;
    }
    struct stat written {};
    if (fstat(fd_.get(), &written) != 0) keep(errno);
    if (is_deleted()) {
        growing_.clear();
        throw WriteError(fmt::format(
            "{}: cannot be written: somebody deleted it while it was written; write it again", file_));
    }
    if (fsync(fd_.get()) != 0) keep(errno);
    fchmod(fd_.get(), mode_);  // where there are rights
    if (close(fd_.release()) != 0) keep(errno);
    take_name();
    sync_folder();
    return where_it_lies(written);
}

void NewFile::take_name() {
    const int folder = place_.folder.get();
    const int result = manner_.may_replace ? renameat(folder, growing_.c_str(), folder, place_.name.c_str())
                                           : rename_to_free_name(folder, growing_, place_.name);
    if (result != 0) keep(errno);
    growing_.clear();
}

/// The new name survives a power cut too. Where that can't be had, the file is whole all the same.
void NewFile::sync_folder() noexcept {
    const Descriptor folder(openat(place_.folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) fsync(folder.get());
}

void NewFile::fail(const std::string& cause) {
    if (growing_.empty() || manner_.growth == FileManner::Growth::hidden) throw_cannot_write(file_, cause);
    keep(cause);
}

void NewFile::keep(int error) {
    keep(std::strerror(error));
}

/// The last step has failed: what was made is the user's.
void NewFile::keep(const std::string& cause) {
    if (manner_.growth == FileManner::Growth::hidden) show();
    const std::string where = path_now(growing_);
    growing_.clear();
    throw WriteError(fmt::format(
        "{}: cannot be written: {}; what was made is kept as {}: give it another name", file_, cause, where));
}

void NewFile::show() {
    for (int n = 1; n < most_names; ++n) {
        const std::string name = unfinished_name(place_.name, n);
        if (rename_to_free_name(place_.folder.get(), growing_, name) == 0) growing_ = name;
        if (growing_ == name || errno != EEXIST) return;
    }
}

std::string NewFile::where_it_lies(const struct stat& written) const {
    struct stat found {};
    if (stat(file_.c_str(), &found) == 0 && is_same(found, written)) return file_;
    return path_now(place_.name);
}

/// Of a name in the folder, as it was given if that still leads there.
std::string NewFile::path_now(const std::string& name) const {
    std::string path = place_.path_of(name);
    struct stat inside {
    }, outside{};
    if (fstatat(place_.folder.get(), name.c_str(), &inside, AT_SYMLINK_NOFOLLOW) == 0 &&
        lstat(path.c_str(), &outside) == 0 && is_same(inside, outside))
        return path;
    const std::string folder = place_.present_folder();
    return folder.empty() ? path : (fs::path(folder) / name).string();
}

// ------------------------ names

int first_free_number(const std::vector<std::string>& files) {
    int number = 1;
    const auto has_it = [&](const std::string& file) {
        return !file.empty() && is_taken(numbered_name(file, number));
    };
    while (number < most_names && std::any_of(files.begin(), files.end(), has_it)) ++number;
    return number;
}

std::vector<std::string> unfinished_files(const std::string& file) {
    auto found = unfinished_beside(file, [&](const fs::path& finished) {
        return finished == fs::path(file).filename() || is_numbered(finished, file);
    });
    std::erase_if(found, is_locked);
    return found;
}

namespace {

bool is_file(const std::string& name, struct stat& found) {
    return stat(name.c_str(), &found) == 0 && S_ISREG(found.st_mode);
}

bool are_one_file(const std::string& a, const std::string& b) {
    struct stat of_a {
    }, of_b{};
    return is_file(a, of_a) && is_file(b, of_b) && is_same(of_a, of_b);
}

/// The same, or it will be when one of them is made.
bool have_one_place(const std::string& a, const std::string& b) {
    if (are_one_file(a, b)) return true;
    std::error_code error;
    if (fs::exists(a, error) || fs::exists(b, error)) return false;  // a device may have many outputs
    const FilePlace of_a = find_file_place(a), of_b = find_file_place(b);
    struct stat folder_a {
    }, folder_b{};
    return of_a.name == of_b.name && fstat(of_a.folder.get(), &folder_a) == 0 &&
           fstat(of_b.folder.get(), &folder_b) == 0 && is_same(folder_a, folder_b);
}

}  // namespace

void must_differ(const std::vector<std::string>& outputs, const std::vector<std::string>& inputs) {
    for (auto output = outputs.begin(); output != outputs.end(); ++output) {
        for (const std::string& input : inputs)
            if (are_one_file(*output, input))
                throw WriteError(
                    fmt::format("{}: cannot be written: it is read as well, as {}, and would be lost; choose "
                                "another name",
                                *output, input));
        for (auto other = outputs.begin(); other != output; ++other)
            if (have_one_place(*output, *other))
                throw_cannot_write(*output, fmt::format("{} is the same file", *other));
    }
}

}  // namespace gainstage
