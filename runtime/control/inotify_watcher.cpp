#include "runtime/control/inotify_watcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "runtime/system_reason.hpp"
#include "runtime/walk_path.hpp"

namespace gainstage {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr unsigned mask =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
/// One save is often several events (write, write again, rename): a file is reported when nothing has
/// happened for `settle`, or `settle_at_most` after the first.
constexpr auto settle = 4ms, settle_at_most = 20ms;
/// How often a file that is still open for writing is looked at again.
constexpr auto retry = 20ms;
/// The same for a folder that is not there.
constexpr auto retry_lost = 100ms;
constexpr int most_links = 40;  // as the kernel has it
/// How often a file is looked at where events may not come.
constexpr auto look_every = 500ms;

/// Systems whose files other machines, or the one outside a virtual machine, may change: by the magic numbers
/// of statfs(2).
constexpr std::uint32_t shared_systems[] = {
    0x0000'6969,  // NFS
    0x0000'517B,  // SMB
    0xFE53'4D42,  // SMB 2
    0xFF53'4D42,  // CIFS
    0x6573'5546,  // FUSE: sshfs, and what containers on other systems mount
    0x6A65'6A63,  // virtiofs
    0x0102'1997,  // 9p
    0x786F'4256,  // VirtualBox's shared folders
    0x7C7C'6673,  // Parallels' shared folders
    0x7375'7245,  // Coda
    0x5346'414F,  // AFS
    0x6B41'4653,  // AFS of the kernel
    0x00C3'6400,  // Ceph
    0x0BD0'0BD0,  // Lustre
    0x0116'1970,  // GFS2
    0x7461'636F,  // OCFS2
};

int opened() {
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        throw std::runtime_error(fmt::format(
            "files can't be watched (inotify): {}; or raise fs.inotify.max_user_instances, or run without "
            "--rehearse",
            system_reason(errno)));
    return fd;
}

bool exists(const std::string& file) {
    return access(file.c_str(), F_OK) == 0;
}

/// Complete the moment it appears: a link, or a second name of a file. A plain new file is reported when it
/// is closed.
bool is_link(const std::string& path) {
    struct stat found {};
    return lstat(path.c_str(), &found) == 0 && (S_ISLNK(found.st_mode) || found.st_nlink > 1);
}

/// The kernel grants a lease for reading only while nobody has the file open for writing. Where there are no
/// leases (other people's files, network folders), nobody is taken to.
bool is_open_for_writing(const std::string& file) {
    Descriptor opened;
    try {
        opened = open_to_read(file);
    } catch (const PathFault&) {
        return false;
    }
    const int fd = opened.get();
    // Were somebody to open it just now, we would be told by a signal, which by default would end the
    // program.
    fcntl(fd, F_SETSIG, SIGURG);
    const bool refused = fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    if (!refused) fcntl(fd, F_SETLEASE, F_UNLCK);
    return refused;
}

}  // namespace

InotifyWatcher::InotifyWatcher(Tells tells) : fd_(opened()), tells_(tells), silent_(look_every) {}

InotifyWatcher::~InotifyWatcher() {
    close(fd_);
}

void InotifyWatcher::watch(const std::vector<std::string>& files) {
    std::vector<Watched> next;
    for (const std::string& file : files) {
        const auto same = [&](const Watched& watched) { return watched.file == file; };
        if (std::any_of(next.begin(), next.end(), same)) continue;
        const auto before = std::find_if(files_.begin(), files_.end(), same);
        next.push_back(before != files_.end() ? *before : Watched{.file = file});
    }
    files_ = std::move(next);
    find_ways();
    std::vector<std::string> silent;
    for (const Watched& watched : files_)
        if (!tells_(watched.file)) silent.push_back(watched.file);
    silent_.watch(silent);
}

bool InotifyWatcher::tells_of_changes(const std::string& file) {
    struct statfs system {};
    std::string place = file;
    if (statfs(place.c_str(), &system) != 0) {
        place = fs::path(file).parent_path().string();
        if (statfs(place.empty() ? "." : place.c_str(), &system) != 0) return true;
    }
    return std::find(std::begin(shared_systems), std::end(shared_systems),
                     static_cast<std::uint32_t>(system.f_type)) == std::end(shared_systems);
}

/// Walks every path again; folders that no longer matter are let go.
void InotifyWatcher::find_ways() {
    std::set<int> before, now;
    for (const Step& step : steps_) before.insert(step.watch);
    for (const Watched& file : files_) before.insert(file.watch);
    steps_.clear();
    for (std::size_t k = 0; k < files_.size(); ++k) add_way(k);
    for (Step& step : steps_) now.insert(step.watch = inotify_add_watch(fd_, step.folder.c_str(), mask));
    for (Watched& file : files_)
        now.insert(file.watch = inotify_add_watch(fd_, file.file.c_str(), IN_CLOSE_WRITE));
    for (const int watch : before)
        if (watch >= 0 && !now.count(watch)) inotify_rm_watch(fd_, watch);
}

void InotifyWatcher::add_way(std::size_t file) {
    fs::path folder = fs::path(files_[file].file).is_absolute() ? "/" : ".";
    const fs::path whole = fs::path(files_[file].file).relative_path();
    std::deque<fs::path> names(whole.begin(), whole.end());
    for (int links = 0; !names.empty();) {
        const fs::path name = names.front(), path = folder / name;
        names.pop_front();
        std::error_code error;
        const fs::path target = fs::read_symlink(path, error);
        if (!error || names.empty())
            steps_.push_back({.folder = folder.string(), .name = name.string(), .file = file});
        if (error) {
            folder = path;
            continue;
        }
        if (++links > most_links) return;
        if (target.is_absolute()) folder = "/";
        const fs::path rest = target.relative_path();
        names.insert(names.begin(), rest.begin(), rest.end());
    }
}

/// A folder that was away and is back may have brought the file.
void InotifyWatcher::find_lost_folders() {
    for (Step& step : steps_) {
        if (step.watch >= 0) continue;
        step.watch = inotify_add_watch(fd_, step.folder.c_str(), mask);
        if (step.watch >= 0) files_[step.file].is_due = true;
    }
}

/// True when something happened to one of the files.
bool InotifyWatcher::take(int watch, unsigned what, const std::string& name) {
    if (what & IN_Q_OVERFLOW) {
        for (Watched& file : files_) file.is_due = true;
        return true;
    }
    if (what & IN_MOVE_SELF) inotify_rm_watch(fd_, watch);
    bool is_ours = false;
    for (Watched& file : files_) {
        if (file.watch != watch) continue;
        if (what & IN_IGNORED) file.watch = -1;
        if (what & IN_CLOSE_WRITE) file.is_due = is_ours = true;
    }
    for (Step& step : steps_) {
        if (step.watch != watch) continue;
        if (what & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF)) step.watch = -1;
        if (step.name != name || ((what & IN_CREATE) && !is_link(step.folder + "/" + name))) continue;
        files_[step.file].is_due = is_ours = true;
    }
    return is_ours;
}

bool InotifyWatcher::take_events() {
    bool is_ours = false;
    alignas(inotify_event) char bytes[16384];
    for (ssize_t count; (count = read(fd_, bytes, sizeof bytes)) > 0;)
        for (ssize_t at = 0; at < count;) {
            inotify_event event{};
            std::memcpy(&event, bytes + at, sizeof event);
            const std::string name = event.len ? bytes + at + sizeof event : "";
            is_ours = take(event.wd, event.mask, name) || is_ours;
            at += static_cast<ssize_t>(sizeof event + event.len);
        }
    return is_ours;
}

/// Those that are there and that nobody writes any more; the others stay due.
std::vector<std::string> InotifyWatcher::finished() {
    std::vector<std::string> files;
    for (Watched& watched : files_) {
        if (!watched.is_due || (exists(watched.file) && is_open_for_writing(watched.file))) continue;
        watched.is_due = false;
        if (exists(watched.file)) files.push_back(watched.file);
    }
    return files;
}

std::vector<std::string> InotifyWatcher::look() {
    for (const std::string& file : silent_.look())
        for (Watched& watched : files_) watched.is_due = watched.is_due || watched.file == file;
    std::vector<std::string> files = settled();
    for (const std::string& file : files) silent_.know(file);
    return files;
}

/// After the last event by a while.
std::vector<std::string> InotifyWatcher::settled() {
    looked_at_ = Clock::now();
    find_lost_folders();
    if (take_events()) {
        find_ways();
        if (!settling_) settling_ = Settling{.begin = looked_at_, .quiet_at = {}};
        settling_->quiet_at = std::min(looked_at_ + settle, settling_->begin + settle_at_most);
    }
    if (settling_ && looked_at_ < settling_->quiet_at) return {};
    settling_.reset();
    return finished();
}

/// Not all that matters is told by an event.
std::optional<InotifyWatcher::Clock::time_point> InotifyWatcher::next_look() const {
    std::optional<Clock::time_point> next;
    if (settling_)
        next = settling_->quiet_at;
    else if (std::any_of(files_.begin(), files_.end(), [](const Watched& file) { return file.is_due; }))
        next = looked_at_ + retry;
    else if (std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.watch < 0; }))
        next = looked_at_ + retry_lost;
    if (silent_.is_at_work()) next = std::min(next.value_or(*silent_.next_look()), *silent_.next_look());
    return next;
}

}  // namespace gainstage
