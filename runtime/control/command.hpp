#pragma once
/// What a player or a program may ask of a session. Every door (terminal, OSC, page, standard input) makes
/// the same commands and puts them into the session's inbox.

#include <functional>
#include <string>

namespace gainstage {

/// What became of a command.
struct Answer {
    bool done = false;
    std::string reason = {};  ///< of a refusal: a sentence, or "busy" where the inbox is full
    std::string id = {};      ///< the command's
};

struct Command {
    /// The words of the doors.
    enum class Kind {
        set,     ///< `address` to `value`: a knob in its own unit; node.bypass and node.mute: 0 or 1
        panic,   ///< silence, forget all sound in flight, come back
        reload,  ///< read the patch and its models again
        sync,    ///< nothing; its answer says that everything before it is answered
        quit,    ///< fade out and end
    };

    Kind kind = Kind::sync;
    std::string address = {};  ///< set: node.knob, node.bypass, node.mute
    float value = 0.f;         ///< set
    float ms = -1.f;           ///< set: how long the knob moves; < 0: as the patch says
    std::string id = {};       ///< the sender's mark; comes back with the answer
    /// Called once, on the control thread, or on the sender's where the inbox itself answers. `done` says
    /// that it will happen with the next block; the report of the event says at which sample it did. (A panic
    /// in the 5 ms in which another one fades out is part of that one.) Must return at once, and must not
    /// throw.
    std::function<void(const Answer&)> reply = {};

    void answer(bool done, std::string reason = {}) const {
        if (reply) reply({.done = done, .reason = std::move(reason), .id = id});
    }
};

}  // namespace gainstage
