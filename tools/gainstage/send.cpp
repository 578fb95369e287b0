/// gainstage send COMMAND

#include <fmt/format.h>

#include <chrono>
#include <cstdint>

#include "runtime/control/parse_command.hpp"
#include "runtime/control/session_socket.hpp"
#include "runtime/number_text.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/session_client.hpp"

namespace gainstage {

namespace {

/// One word is a whole line; of several each is a word of it. One that stands in quotation marks keeps them.
std::string line_of(const SendOptions& options) {
    std::string line = options.command;
    for (const std::string& word : options.words)
        line += " " + (word.starts_with('"') ? word : as_word(word));
    return line;
}

/// What was asked for: of `get` the number alone, of the others the document.
void show(const JsonValue& answer) {
    const std::string command = text_in(answer, "command");
    if (command == "get") {
        if (const JsonValue* value = answer.find("value"); value && value->number())
            put("{}\n", number_text(*value->number()));
    } else if (command == "nodes" || command == "status") {
        put_document(answer);
    }
}

int ask(const SendOptions& options) {
    const std::string line = line_of(options);
    const ParsedCommand parsed = parse_command(line);
    if (!parsed.command) return fail(usage, fmt::format("send: {}", parsed.problem));
    const std::chrono::milliseconds wait(static_cast<std::int64_t>(options.seconds * 1'000.));
    const std::string told = ask_session(meant_session(options.session), line, wait);
    const JsonValue answer = read_answer(told);
    const bool is_done = text_in(answer, "event") == "done";
    if (options.json)
        put_text(told + "\n");
    else if (is_done)
        show(answer);
    if (is_done) return ok;
    return options.json ? bad_data : fail(bad_data, fmt::format("refused: {}", text_in(answer, "reason")));
}

}  // namespace

int run_send(const SendOptions& options) {
    try {
        return ask(options);
    } catch (const NoSocket& fault) {
        return fail(no_device, fault.what());
    } catch (const NoAnswer& fault) {
        return fail(no_device, fault.what());
    }
}

}  // namespace gainstage
