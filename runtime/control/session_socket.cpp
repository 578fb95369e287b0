#include "runtime/control/session_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/folder_names.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/system_reason.hpp"

namespace gainstage {

namespace {

constexpr std::size_t longest_session_name = 32;
constexpr int most_sessions_of_a_name = 16;
constexpr std::string_view socket_end = ".socket", lock_end = ".lock";

/// "/run/user/1000/gainstage". Throws NoSocket.
std::string sockets_folder() {
    const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
    if (!runtime || !*runtime) throw NoSocket("XDG_RUNTIME_DIR is not set; a login sets it");
    if (*runtime != '/')
        throw NoSocket(fmt::format("XDG_RUNTIME_DIR is {}, and must begin with /", in_quotes(runtime)));
    return std::string(runtime) + "/gainstage";
}

/// Throws NoSocket unless it is a folder of this user's own that nobody else may enter.
void must_be_private(const std::string& folder) {
    struct stat found {};
    if (lstat(folder.c_str(), &found) != 0)
        throw NoSocket(fmt::format("{}: {}", shown(folder), system_reason(errno)));
    if (!S_ISDIR(found.st_mode)) throw NoSocket(fmt::format("{} is no folder; remove it", shown(folder)));
    if (found.st_uid != geteuid())
        throw NoSocket(fmt::format("{} belongs to another user; remove it", shown(folder)));
    if ((found.st_mode & 077) != 0)
        throw NoSocket(fmt::format("others may enter {}; allow only yourself: chmod 700 {}", shown(folder),
                                   shown(folder)));
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw NoSocket(
            fmt::format("{} is longer than the {} bytes that a socket's path may have; choose a "
                        "shorter XDG_RUNTIME_DIR",
                        shown(path), sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Descriptor make_unix_socket(int flags) {
    Descriptor made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
    if (made.get() < 0) throw NoSocket(system_reason(errno));
    return made;
}

/// A living session holds it.
bool is_held(const std::string& lock) {
    const Descriptor fd(open(lock.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    return fd.get() >= 0 && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

bool is_session_name(const std::string& name) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return !name.empty() && name.size() <= longest_session_name &&
           name.find_first_not_of(letters) == std::string::npos;
}

SessionSocket::SessionSocket(const std::string& name) : folder_(sockets_folder()) {
    if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST)
        throw NoSocket(fmt::format("{}: cannot be made: {}", shown(folder_), system_reason(errno)));
    must_be_private(folder_);
    for (int n = 1; n <= most_sessions_of_a_name; ++n)
        if (take(n == 1 ? name : fmt::format("{}-{}", name, n))) return;
    throw NoSocket(fmt::format("{} sessions of the name {} run already; choose another with --session",
                               most_sessions_of_a_name, name));
}

/// False: a living session has the name.
bool SessionSocket::take(const std::string& name) {
    const std::string base = folder_ + "/" + name;
    Descriptor lock(
        open((base + std::string(lock_end)).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.get() < 0) throw NoSocket(fmt::format("{}{}: {}", shown(base), lock_end, system_reason(errno)));
    if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        throw NoSocket(
            fmt::format("{}{}: cannot be locked: {}", shown(base), lock_end, system_reason(errno)));
    }
    // Whoever had this socket is gone.
    const std::string path = base + std::string(socket_end);
    const sockaddr_un address = address_of(path);
    Descriptor made = make_unix_socket(SOCK_NONBLOCK);
    unlink(path.c_str());
    if (bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw NoSocket(fmt::format("{}: cannot be made: {}", shown(path), system_reason(errno)));
    chmod(path.c_str(), 0600);
    if (listen(made.get(), 16) != 0) throw NoSocket(fmt::format("{}: {}", shown(path), system_reason(errno)));
    name_ = name;
    path_ = path;
    lock_ = std::move(lock);
    socket_ = std::move(made);
    return true;
}

SessionSocket::~SessionSocket() {
    if (!path_.empty()) unlink(path_.c_str());
}

Descriptor connect_to_session(const std::string& name) {
    const std::string folder = sockets_folder();
    const auto none = [&](const std::string& cause) {
        const std::vector<std::string> there = living_sessions();
        const Names names(there.begin(), there.end());
        return NoSocket(there.empty() ? fmt::format("{}; no session runs here", cause)
                                      : ProblemList("").unknown(cause, name, "sessions", names));
    };
    struct stat found {};
    if (lstat(folder.c_str(), &found) != 0) throw none("there is no session " + in_quotes(name));
    must_be_private(folder);
    const sockaddr_un address = address_of(folder + "/" + name + std::string(socket_end));
    Descriptor made = make_unix_socket(0);
    if (connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw none(
            errno == ENOENT || errno == ECONNREFUSED
                ? "there is no session " + in_quotes(name)
                : fmt::format("the session {} can't be reached ({})", in_quotes(name), system_reason(errno)));
    if (!is_of_this_user(made.get()))
        throw NoSocket(fmt::format("the session {} belongs to another user", in_quotes(name)));
    return made;
}

std::vector<std::string> living_sessions() {
    std::vector<std::string> found;
    std::string folder;
    try {
        folder = sockets_folder();
    } catch (const NoSocket&) {
        return found;
    }
    for (const std::string& file : names_in(folder)) {
        if (!file.ends_with(lock_end)) continue;
        const std::string name = file.substr(0, file.size() - lock_end.size());
        if (is_session_name(name) && is_held(folder + "/" + file)) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
}

bool is_of_this_user(int socket) noexcept {
#if defined(SO_PEERCRED)
    ucred peer{};
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
#else
    uid_t user = 0;
    gid_t group = 0;
    return getpeereid(socket, &user, &group) == 0 && user == geteuid();
#endif
}

}  // namespace gainstage
