#pragma once
/// What our programs share of their command lines. Includes CLI11: only for files that do so anyway.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/problem_list.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/exit_code.hpp"

namespace gainstage {

/// Accepts numbers from `least` to `most`. (CLI11's Range lets NaN pass, and shows limits with 309 digits.)
inline CLI::Validator number_between(double least, double most, const std::string& unit) {
    const std::string wanted = fmt::format("a number of {} from {} to {}", unit, least, most);
    return CLI::Validator(
        [=](std::string& text) {
            double number = 0.;
            const bool is_number = CLI::detail::lexical_cast(text, number);
            if (is_number && number >= least && number <= most) return std::string();
            return fmt::format("{} was given; expected {}", in_quotes(text), wanted);
        },
        fmt::format("{} - {}", least, most));
}

/// Accepts names that an audio or MIDI server takes. `prefix`: what may stand before the name and does not
/// count; a text without it is no name, and passes.
inline CLI::Validator server_name(const std::string& prefix = "") {
    constexpr std::size_t most_bytes = 63;  // JACK's limit
    return CLI::Validator(
        [=](std::string& text) {
            if (text.rfind(prefix, 0) != 0) return std::string();
            const std::size_t bytes = text.size() - prefix.size();
            if (bytes > 0 && bytes <= most_bytes) return std::string();
            return fmt::format("the name has {} bytes; expected 1 to {}, as JACK wants it", bytes,
                               most_bytes);
        },
        "");
}

/// Accepts any name but an empty one, which a script's unset variable leaves.
inline CLI::Validator file_name() {
    return CLI::Validator(
        [](std::string& text) { return text.empty() ? "an empty name; expected a file's" : std::string(); },
        "");
}

/// The same for a scene of a patch.
inline CLI::Validator scene_name() {
    return CLI::Validator(
        [](std::string& text) { return text.empty() ? "an empty name; expected a scene's" : std::string(); },
        "");
}

/// What stands below the options on a page of help.
inline std::string footer_of(std::initializer_list<std::string_view> examples,
                             std::initializer_list<ExitCode> codes) {
    std::string text = "Examples:\n";
    for (const std::string_view example : examples) text += fmt::format("  {}\n", example);
    return text + "\nExit codes:\n" + text_of(codes);
}

/// Hidden ones as well.
inline std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App*) { return true; });
}

namespace usage_detail {

inline std::vector<std::string> names_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* sub : commands_of(command)) names.push_back(sub->get_name());
    return names;
}

inline std::vector<std::string> options_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options())
        if (!option->get_group().empty())  // "": hidden
            for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

/// Names the commands that have an option of this name: "run --rehearse". Empty: none has.
inline std::string command_with_option(const CLI::App& app, const std::string& word) {
    for (const CLI::App* command : commands_of(app)) {
        const std::vector<std::string> options = options_of(*command);
        if (std::find(options.begin(), options.end(), "--" + word) != options.end())
            return fmt::format("{} --{}", command->get_name(), word);
    }
    return {};
}

/// How to start the Python program that some expect as a command: "tools/import_model". Empty: there is none.
inline std::string python_program(const std::string& word) {
    if (word == "import") return "tools/import_model";
    if (word == "train") return "python3 -m gainstage_train (in tools/)";
    if (word == "evaluate" || word == "card")
        return fmt::format("python3 -m gainstage_train.{} (in tools/)", word);
    return {};
}

inline std::string unknown(const std::string& what, const std::string& wrong, const std::string& kinds,
                           const std::vector<std::string>& names) {
    return ProblemList("").unknown(fmt::format("there is no {} {}", what, in_quotes(wrong)), wrong, kinds,
                                   Names(names.begin(), names.end()));
}

/// Why the command line can't be used. CLI11 complains of what is missing before it looks at what it doesn't
/// know: a slip of the finger is told first.
inline std::string complaint(const CLI::App& app, const CLI::ParseError& error) {
    const CLI::App* command = &app;
    const auto chosen = app.get_subcommands();
    if (!chosen.empty()) command = chosen.front();
    const auto is_option = [](const std::string& word) { return word.size() > 1 && word[0] == '-'; };
    for (const std::string& word : app.remaining(true)) {
        if (word == "--") break;  // no options from here on
        if (is_option(word))
            return unknown("option", word.substr(0, word.find('=')), "options", options_of(*command));
        if (command == &app && !names_of(app).empty()) {
            const std::string option = command_with_option(app, word);
            if (!option.empty())
                return fmt::format("there is no command {}; it is an option: {} {}", in_quotes(word),
                                   app.get_name(), option);
            const std::string program = python_program(word);
            if (!program.empty())
                return fmt::format(
                    "there is no command {}; it is a Python program in Gainstage's source: {}, or "
                    "gainstage-{} once `pip install tools/` has installed it",
                    in_quotes(word), program, word);
            return unknown("command", word, "commands", names_of(app));
        }
    }
    return error.what();
}

}  // namespace usage_detail

/// Reads the command line. Returns the exit code where the program has nothing more to do: help was asked
/// for, or the command line can't be used.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
    try {
        app.parse(argc, argv);
        return std::nullopt;
    } catch (const CLI::Success& asked) {
        std::ostringstream text;
        app.exit(asked, text, text);
        put_text(text.str());
        return ok;
    } catch (const CLI::ParseError& error) {
        const auto chosen = app.get_subcommands();
        const std::string command = chosen.empty() ? "" : " " + chosen.front()->get_name();
        say("{}{}: {}\nMore: {}{} --help", app.get_name(), command, usage_detail::complaint(app, error),
            app.get_name(), command);
        return usage;
    }
}

}  // namespace gainstage
