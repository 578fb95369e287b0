#include "runtime/control/parse_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "runtime/control/command_lines.hpp"
#include "runtime/control/inbox.hpp"
#include "runtime/foreign_bytes.hpp"
#include "runtime/numbers.hpp"
#include "runtime/plain_text.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

const std::vector<CommandWord>& command_words() {
    static const std::vector<CommandWord> words{
        {"set", "ADDRESS VALUE [MS]", "moves a knob, a bypass, a mute or the master"},
        {"get", "ADDRESS", "says where it stands"},
        {"nodes", "", "lists what plays, with every knob's range and value"},
        {"status", "", "says how things stand: levels, load, latency, device"},
        {"scene", "NAME|N|next|previous [MS]", "chooses a scene of the patch"},
        {"song", "TITLE|N|next|previous", "changes to a song of the set"},
        {"arm", "TITLE|N|next|previous", "makes a song ready"},
        {"panic", "", "silences at once, forgets all sound in flight, and comes back"},
        {"tap", "", "gives one beat of the tempo"},
        {"save", "[NAME [ADDRESS...]]", "writes values into the patch's file"},
        {"undo", "", "brings the former text of the patch's file back"},
        {"dump", "", "writes the last seconds to a file"},
        {"learn", "ADDRESS", "gives a knob to the controller that moves next"},
        {"sync", "[ID]", "is answered when everything before it is"},
        {"quit", "", "fades out and ends"},
    };
    return words;
}

namespace {

constexpr int longest_ms = 1'000'000;
constexpr std::size_t longest_id = 64;
constexpr int most_numbered = 1'000'000;

/// What is wrong, and at which byte of the line.
struct Fault {
    std::size_t at = 0;
    std::string message;
};

struct Word {
    std::string text;
    std::size_t at = 0;  // byte of the line
    bool is_quoted = false;
};

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/// Of its first letter, counted in characters from 1.
int column_of(std::string_view line, std::size_t at) {
    const std::string_view before = line.substr(0, at);
    return 1 + static_cast<int>(std::count_if(before.begin(), before.end(),
                                              [](char byte) { return (byte & 0xc0) != 0x80; }));
}

/// Where plain_line() would put something else: a byte that is no text, or a control character.
void must_be_text(std::string_view line) {
    std::string without_tabs(line);
    std::replace(without_tabs.begin(), without_tabs.end(), '\t', ' ');
    const std::string plain = plain_line(without_tabs);
    if (plain == without_tabs) return;
    const auto [_, differs] =
        std::mismatch(plain.begin(), plain.end(), without_tabs.begin(), without_tabs.end());
    const auto at = static_cast<std::size_t>(differs - without_tabs.begin());
    const unsigned byte = at < line.size() ? static_cast<unsigned char>(line[at]) : 0u;
    throw Fault{at, fmt::format("a command is a line of text (UTF-8); found the byte 0x{:02x}", byte)};
}

class Words {
public:
    explicit Words(std::string_view line) : line_(line) {}

    /// The next word; nothing at the end of the line.
    std::optional<Word> next() {
        while (at_ < line_.size() && is_blank(line_[at_])) ++at_;
        if (at_ == line_.size()) return std::nullopt;
        return line_[at_] == '"' ? quoted() : bare();
    }
    /// Where the next word would be.
    std::size_t at() const { return at_; }

private:
    Word bare() {
        Word word{.text = {}, .at = at_};
        for (; at_ < line_.size() && !is_blank(line_[at_]); ++at_) {
            if (line_[at_] == '"')
                throw Fault{at_, "a quotation mark in the middle of a word; put the whole word into them"};
            word.text += line_[at_];
        }
        return word;
    }
    Word quoted() {
        Word word{.text = {}, .at = at_++, .is_quoted = true};
        for (; at_ < line_.size() && line_[at_] != '"'; ++at_) {
            if (line_[at_] == '\\' && ++at_ < line_.size() && line_[at_] != '"' && line_[at_] != '\\')
                throw Fault{at_ - 1, "a backslash stands before a quotation mark or another backslash only"};
            if (at_ < line_.size()) word.text += line_[at_];
        }
        if (at_ >= line_.size()) throw Fault{word.at, "a quotation mark that is never closed"};
        if (++at_ < line_.size() && !is_blank(line_[at_]))
            throw Fault{at_, "expected a blank behind the quotation mark"};
        return word;
    }

    const std::string_view line_;
    std::size_t at_ = 0;
};

/// `"text"`, and what is foreign in it.
std::string found(const Word& word) {
    std::string message = "found " + in_quotes(word.text);
    for (std::size_t k = 0; k < word.text.size(); ++k)
        if (const std::string cause = typographic(std::string_view(word.text).substr(k)); !cause.empty())
            return message + ": " + cause;
    std::string with_point = word.text;
    if (const std::size_t comma = with_point.find(','); comma != std::string::npos) {
        with_point[comma] = '.';
        if (text_as_number(with_point)) return message + ": a decimal comma; write a point: " + with_point;
    }
    return message;
}

std::optional<double> number_in(std::string_view text) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    return text_as_number(text);
}

bool is_switch(std::string_view address) {
    return address.ends_with(".bypass") || address.ends_with(".mute");
}

class Reader {
public:
    explicit Reader(std::string_view line) : line_(line), words_(line) {}

    ParsedCommand read() {
        ParsedCommand parsed;
        Command command;
        try {
            must_be_text(line_);
            Word word = must_have("a command");
            if (!word.is_quoted && word.text.starts_with('@')) {
                command.id = parsed.id = id_of(word.text.substr(1), word.at + 1);
                word = must_have("a command");
            }
            command.kind = kind_of(word);
            parsed.word = word_of(command.kind);
            arguments(command);
            if (const auto more = words_.next())
                throw Fault{more->at, fmt::format("nothing more belongs to this command ({}); found {}",
                                                  usage_of(command.kind), in_quotes(more->text))};
            parsed.id = command.id;
            parsed.command = std::move(command);
        } catch (const Fault& fault) {
            parsed.problem = fmt::format("column {}: {}", column_of(line_, fault.at), fault.message);
        }
        return parsed;
    }

private:
    static std::string usage_of(Command::Kind kind) {
        for (const CommandWord& one : command_words())
            if (std::string_view(one.word) == word_of(kind))
                return *one.arguments ? fmt::format("{} {}", one.word, one.arguments) : one.word;
        return word_of(kind);
    }

    Word must_have(const std::string& what) {
        auto word = words_.next();
        if (!word) throw Fault{words_.at(), fmt::format("expected {}, found the end of the line", what)};
        return std::move(*word);
    }
    Word must_have(const char* what, Command::Kind kind) {
        return must_have(fmt::format("{} ({})", what, usage_of(kind)));
    }

    std::string id_of(const std::string& text, std::size_t at) const {
        if (text.empty() || text.size() > longest_id)
            throw Fault{at,
                        fmt::format("expected an id of 1 to {} bytes, found {}", longest_id, text.size())};
        return text;
    }

    static Command::Kind kind_of(const Word& word) {
        Names names;
        for (const CommandWord& one : command_words()) names.push_back(one.word);
        for (int k = 0; k < static_cast<int>(Command::Kind::reload); ++k)
            if (const auto kind = static_cast<Command::Kind>(k); word.text == word_of(kind)) return kind;
        throw Fault{word.at, ProblemList("").unknown("there is no command " + in_quotes(word.text), word.text,
                                                     "commands", names)};
    }

    void arguments(Command& command) {
        switch (command.kind) {
            case Command::Kind::set:
                command.address = address(command.kind);
                command.value = value(command);
                command.ms = milliseconds();
                return;
            case Command::Kind::get:
            case Command::Kind::learn:
                command.address = address(command.kind);
                return;
            case Command::Kind::scene:
                command.choice = choice(command.kind);
                command.ms = milliseconds();
                return;
            case Command::Kind::song:
            case Command::Kind::arm:
                command.choice = choice(command.kind);
                return;
            case Command::Kind::save:
                while (auto word = words_.next()) command.words.push_back(std::move(word->text));
                return;
            case Command::Kind::sync:
                if (const auto word = words_.next()) sync_id(command, *word);
                return;
            default:
                return;
        }
    }

    void sync_id(Command& command, const Word& word) const {
        if (!command.id.empty())
            throw Fault{word.at, fmt::format("this command has the id {} already", in_quotes(command.id))};
        command.id = id_of(word.text, word.at);
    }

    std::string address(Command::Kind kind) { return must_have("an address", kind).text; }

    float value(const Command& command) {
        const Word word = must_have("a value", command.kind);
        const bool is_word = is_switch(command.address) && !word.is_quoted;
        if (is_word && word.text == "on") return 1.f;
        if (is_word && word.text == "off") return 0.f;
        const auto number = number_in(word.text);
        const auto value = number ? as_float(*number) : std::nullopt;
        if (!value)
            throw Fault{word.at,
                        fmt::format("expected a value, a number{}, {}",
                                    is_switch(command.address) ? " or on and off" : "", found(word))};
        return *value;
    }

    /// -1: none is given.
    float milliseconds() {
        const auto word = words_.next();
        if (!word) return -1.f;
        const auto number = number_in(word->text);
        if (!number || *number < 0. || *number > longest_ms)
            throw Fault{word->at, fmt::format("expected milliseconds, a number from 0 to {}, {}", longest_ms,
                                              found(*word))};
        return static_cast<float>(*number);
    }

    Choice choice(Command::Kind kind) {
        Word word = must_have("a name, a number, next or previous", kind);
        if (!word.is_quoted && word.text == "next") return {.kind = Choice::Kind::next};
        if (!word.is_quoted && word.text == "previous") return {.kind = Choice::Kind::previous};
        if (word.text.empty()) throw Fault{word.at, "an empty name"};
        const bool is_number = word.text.find_first_not_of("+-0123456789.") == std::string::npos;
        if (word.is_quoted || !is_number) return {.kind = Choice::Kind::name, .name = std::move(word.text)};
        const auto number = whole_between(text_as_whole(word.text), 1, most_numbered);
        if (!number)
            throw Fault{word.at,
                        fmt::format("expected a whole number from 1 on, {}; a name that is a number stands "
                                    "in quotation marks",
                                    found(word))};
        return {.kind = Choice::Kind::number, .name = {}, .number = *number};
    }

    const std::string_view line_;
    Words words_;
};

}  // namespace

ParsedCommand parse_command(std::string_view line) {
    return Reader(line).read();
}

std::string as_word(std::string_view text) {
    if (!text.empty() && text.find_first_of(" \t\"\\") == std::string_view::npos) return std::string(text);
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

namespace {

/// Whatever the inbox or the session says to it, it is refused.
void post_refusal(Inbox& inbox, Answer refusal, const std::function<void(const Answer&)>& reply) {
    Command place;
    place.reply = [refusal = std::move(refusal), reply](const Answer& answer) {
        Answer told = refusal;
        told.at = answer.at;
        told.seconds = answer.seconds;
        reply(told);
    };
    inbox.post(std::move(place));
}

}  // namespace

bool post_line(Inbox& inbox, std::string_view line, const std::function<void(const Answer&)>& reply) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#') return false;
    ParsedCommand parsed = parse_command(line);
    if (!parsed.command) {
        post_refusal(
            inbox, {.reason = std::move(parsed.problem), .id = std::move(parsed.id), .command = parsed.word},
            reply);
        return true;
    }
    parsed.command->reply = reply;
    inbox.post(std::move(*parsed.command));
    return true;
}

void post_refused(Inbox& inbox, std::string reason, const std::function<void(const Answer&)>& reply) {
    post_refusal(inbox, {.reason = std::move(reason)}, reply);
}

std::string too_long_line() {
    return fmt::format("the line is longer than {} bytes, and was passed over", CommandLines::longest);
}

}  // namespace gainstage
