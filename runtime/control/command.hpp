#pragma once
/// What a player or a program may ask of a session. Every door (terminal, OSC, page, standard input) makes
/// the same commands and puts them into the session's inbox.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gainstage {

struct AnswerBody;

/// What became of a command.
struct Answer {
    bool done = false;
    std::string reason = {};   ///< of a refusal: "busy", or a sentence
    std::string id = {};       ///< the command's
    const char* command = "";  ///< its word: "set"
    std::uint64_t at = 0;      ///< sample of the stream at which it was answered; 0: nothing has played yet,
                               ///< or the inbox or a door answered
    double seconds = 0.;       ///< the same in seconds
    std::shared_ptr<const AnswerBody> body = {};  ///< what was asked for; null: nothing
};

/// A scene or a song, as a command names it.
struct Choice {
    enum class Kind { name, number, next, previous };
    Kind kind = Kind::name;
    std::string name = {};
    int number = 0;  ///< counted from 1
};

struct Command {
    /// The words of the doors, and `reload`, which is for the program's own doors.
    enum class Kind {
        set,     ///< `address` to `value`: a knob in its own unit; node.bypass, node.mute, master.gain_db,
                 ///< master.mute, master.bypass
        get,     ///< the value of `address`
        nodes,   ///< what plays: every node with its knobs, their ranges and values
        status,  ///< how things stand
        scene,   ///< `choice`, in `ms`
        song,    ///< `choice`
        arm,     ///< song `choice`
        panic,   ///< silence, forget all sound in flight, come back
        tap,     ///< one beat of the tempo
        save,    ///< values into the patch's file; `words`: the scene, then further knobs
        undo,    ///< the former text of the patch's file
        dump,    ///< the last seconds into a file
        learn,   ///< the next controller that moves gets `address`
        sync,    ///< nothing; its answer says that everything before it is answered
        quit,    ///< fade out and end
        reload,  ///< read the patch and its models again
    };

    Kind kind = Kind::sync;
    std::string address = {};             ///< set, get, learn: node.knob, node.bypass, node.mute, ...
    float value = 0.f;                    ///< set
    float ms = -1.f;                      ///< set, scene: how long knobs move; < 0: as the patch says
    Choice choice = {};                   ///< scene, song, arm
    std::vector<std::string> words = {};  ///< save
    std::string id = {};                  ///< the sender's mark; comes back with the answer
    /// Called once, on the control thread, or on the sender's where the inbox itself answers. `done` says
    /// that it will happen with the next block; the report of the event says at which sample it did. (A panic
    /// in the 5 ms in which another one fades out is part of that one.) Must return at once, and must not
    /// throw.
    std::function<void(const Answer&)> reply = {};

    void answer(bool done, std::string reason = {}) const {
        answer(Answer{.done = done, .reason = std::move(reason)});
    }
    /// Adds the id and the word.
    void answer(Answer) const;
};

/// "set", "get", ...
const char* word_of(Command::Kind);

/// Never refused, however full the inbox is, for somebody on a stage waits for it: panic, quit, scene, song,
/// and `set master.mute`.
bool is_urgent(const Command&);

}  // namespace gainstage
