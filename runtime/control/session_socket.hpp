#pragma once
/// The Unix sockets by which programs of one user reach their sessions:
/// `$XDG_RUNTIME_DIR/gainstage/NAME.socket`.

#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/walk_path.hpp"

namespace gainstage {

/// Why there is no socket: cause and remedy.
struct NoSocket : std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline constexpr const char* usual_session = "gainstage";

/// 1 to 32 letters, digits, _ and -. Any thread.
bool is_session_name(const std::string& name);

/// A socket that listens, in a folder that only this user may enter. Its lock is held for as long as it
/// lives, so a socket without one is stale and is taken over. One thread.
class SessionSocket {
public:
    /// `name` as wanted; if a living session has it, a number is added: "gainstage-2". Throws NoSocket.
    explicit SessionSocket(const std::string& name);
    /// Takes the socket away.
    ~SessionSocket();
    SessionSocket(const SessionSocket&) = delete;
    SessionSocket& operator=(const SessionSocket&) = delete;

    const std::string& name() const noexcept { return name_; }
    int fd() const noexcept { return socket_.get(); }

private:
    bool take(const std::string& name);

    std::string folder_, name_, path_;
    Descriptor lock_, socket_;
};

/// Connects to a session. Throws NoSocket, with the names of those that there are.
Descriptor connect_to_session(const std::string& name);
/// The living sessions of this user, in the order of their names; empty where there is no folder for them.
std::vector<std::string> living_sessions();

/// The process at the other end belongs to this user. Any thread.
bool is_of_this_user(int socket) noexcept;

}  // namespace gainstage
