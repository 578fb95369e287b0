#pragma once
/// Commands as text: one line each, read in one place for every door that brings text.
///
///   [@ID] WORD ARGUMENTS
///
/// Words are separated by blanks. A word in double quotation marks may hold blanks; \" and \\ stand for the
/// mark and the backslash. `@ID` before the word is a mark of 1 to 64 bytes that comes back with the answer.
///
///   set ADDRESS VALUE [MS]    a number, or on and off for bypass and mute
///   get ADDRESS               nodes   status
///   scene WHICH [MS]          song WHICH      arm WHICH
///   panic   tap   undo   dump   quit
///   save [NAME [ADDRESS...]]  learn ADDRESS   sync [ID]
///
/// WHICH is a name, a number counted from 1, `next` or `previous`; a name that is a number or one of these
/// words stands in quotation marks.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/control/command.hpp"

namespace gainstage {

class Inbox;

/// A line that was read: a command, or the one thing that is wrong with it.
struct ParsedCommand {
    std::optional<Command> command;
    std::string problem = {};  ///< "column 5: there is no command ..."; columns count characters from 1
    std::string id = {};       ///< as far as it was read
    const char* word = "";     ///< the same; "": the word is unknown
};

/// Strict: what is too much, missing or no number is a problem, with its place and the nearest name. `line`
/// is without its end. Any thread.
ParsedCommand parse_command(std::string_view line);

/// The words of all commands with what they do, for help and completion.
struct CommandWord {
    const char* word;
    const char* arguments;
    const char* summary;
};
const std::vector<CommandWord>& command_words();

/// A word as parse_command() reads it back: with quotation marks where it needs them.
std::string as_word(std::string_view text);

/// Reads the line and posts what it says. A line that can't be read takes its place in the inbox too, so that
/// answers keep the order of the lines. Blank lines and those that begin with # are passed over. True: there
/// will be an answer, or has been. Any thread.
bool post_line(Inbox&, std::string_view line, const std::function<void(const Answer&)>& reply);

/// Refuses what is no line, in its place among the others.
void post_refused(Inbox&, std::string reason, const std::function<void(const Answer&)>& reply);
/// The reason for a line that CommandLines calls too long.
std::string too_long_line();

}  // namespace gainstage
