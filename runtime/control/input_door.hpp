#pragma once
/// Commands from a descriptor, as a rule standard input: a line each.

#include <functional>
#include <memory>
#include <string>

#include "runtime/control/inbox.hpp"
#include "runtime/control/sink.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

/// Reads on a thread of its own, so nobody waits for whoever writes. Sixty-four commands may be under way;
/// it reads no further until one of them is answered. A line longer than CommandLines::longest, one that is
/// no text, and one whose end never comes are refused. The end of the input ends the door, and nothing else.
/// What is written before the session plays waits until it does, except `quit`.
class InputDoor {
public:
    using Reply = std::function<void(const Answer&)>;
    using Note = std::function<void(const std::string&)>;

    /// `reply` gets every answer: on any thread, must return at once, must not throw. `note` is told once if
    /// the input ends: on the door's thread. Throws NoThread, and std::runtime_error without descriptors.
    InputDoor(int descriptor, Inbox&, Reply reply, Note note);
    /// Reads no more. A thread that is held in a read is left behind.
    ~InputDoor();
    /// Hears from the session that it plays.
    std::shared_ptr<Sink> gate() const;
    InputDoor(const InputDoor&) = delete;
    InputDoor& operator=(const InputDoor&) = delete;

private:
    struct State;
    const std::shared_ptr<State> state_;  // outlives the door: answers may come later
    Thread thread_;
};

}  // namespace gainstage
