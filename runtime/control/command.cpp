#include "runtime/control/command.hpp"

#include <utility>

namespace gainstage {

void Command::answer(Answer answer) const {
    if (!reply) return;
    answer.id = id;
    answer.command = word_of(kind);
    reply(answer);
}

const char* word_of(Command::Kind kind) {
    switch (kind) {
        case Command::Kind::set:
            return "set";
        case Command::Kind::get:
            return "get";
        case Command::Kind::nodes:
            return "nodes";
        case Command::Kind::status:
            return "status";
        case Command::Kind::scene:
            return "scene";
        case Command::Kind::song:
            return "song";
        case Command::Kind::arm:
            return "arm";
        case Command::Kind::panic:
            return "panic";
        case Command::Kind::tap:
            return "tap";
        case Command::Kind::save:
            return "save";
        case Command::Kind::undo:
            return "undo";
        case Command::Kind::dump:
            return "dump";
        case Command::Kind::learn:
            return "learn";
        case Command::Kind::sync:
            return "sync";
        case Command::Kind::quit:
            return "quit";
        case Command::Kind::reload:
            return "reload";
    }
    return "";
}

bool is_urgent(const Command& command) {
    switch (command.kind) {
        case Command::Kind::panic:
        case Command::Kind::quit:
        case Command::Kind::scene:
        case Command::Kind::song:
            return true;
        case Command::Kind::set:
            return command.address == "master.mute";
        default:
            return false;
    }
}

}  // namespace gainstage
