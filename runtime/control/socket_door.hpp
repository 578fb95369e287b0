#pragma once
/// Commands from other programs of the same user, through a Unix socket: `gainstage send`.

#include <memory>

#include "runtime/control/inbox.hpp"
#include "runtime/control/session_socket.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

/// Serves its clients on a thread of its own. A client sends a command a line and gets an answer a line, as
/// JSON. Nobody can harm the session or another client:
///
///   another user                     is not let in
///   more than `most_clients`         the one that has been silent the longest makes room, if it has been for
///                                    10 s; else the newcomer is told so and sent away
///   a flood of lines                 `most_under_way` commands of a client wait at a time; the door reads no
///                                    further before they are answered
///   a reader that falls behind       is dropped when `most_behind` bytes wait for it
///   lines that are too long, no text are refused; half a line is forgotten with its client
class SocketDoor {
public:
    static constexpr int most_clients = 16, most_under_way = 64;
    static constexpr std::size_t most_behind = std::size_t{1} << 20;

    /// Throws NoThread, and std::runtime_error without descriptors.
    SocketDoor(std::unique_ptr<SessionSocket>, Inbox&);
    /// Says goodbye to nobody: what was not sent is lost.
    ~SocketDoor();
    SocketDoor(const SocketDoor&) = delete;
    SocketDoor& operator=(const SocketDoor&) = delete;

private:
    class Clients;
    struct Mailbox;
    const std::shared_ptr<Mailbox> mailbox_;  // outlives the door: answers may come later
    const std::unique_ptr<Clients> clients_;
    Thread thread_;
};

}  // namespace gainstage
