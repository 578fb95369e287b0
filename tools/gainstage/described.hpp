#pragma once
/// The command line, described for shells and for the man page. Includes CLI11: only for command_line.cpp.
///
/// Both are made from the same CLI::App that reads the command line, so neither can go stale.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tools/gainstage/completion.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/usage.hpp"

namespace gainstage {

namespace described_detail {

inline bool is_shown(const CLI::Option& option) {
    return !option.get_group().empty();
}
inline bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_min() > 0;
}

/// "--device", or "in" for a positional one.
inline std::string name_of(const CLI::Option& option) {
    if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
    return option.get_snames().empty() ? option.get_name() : "-" + option.get_snames().front();
}

inline bool has_name(const CLI::Option& option, const std::string& word) {
    for (const std::string& name : option.get_lnames())
        if (word == "--" + name) return true;
    for (const std::string& name : option.get_snames())
        if (word == "-" + name) return true;
    return false;
}

inline const CLI::Option* option_called(const CLI::App& command, const std::string& word) {
    for (const CLI::Option* option : command.get_options())
        if (is_shown(*option) && has_name(*option, word)) return option;
    return nullptr;
}

/// The argument that the last word stands for, or null. `words` are those behind the command.
inline const CLI::Option* argument_at_end(const CLI::App& command, const std::vector<std::string>& words) {
    const CLI::Option* awaited = nullptr;  // the option whose value the next word is
    std::size_t place = 0;                 // of the next word that is no option's
    for (std::size_t k = 0; k + 1 < words.size(); ++k) {
        const CLI::Option* const option = awaited ? nullptr : option_called(command, words[k]);
        if (!awaited && !option && words[k].rfind('-', 0) != 0) ++place;
        awaited = option && takes_value(*option) ? option : nullptr;
    }
    if (awaited) return awaited;
    const CLI::Option* last = nullptr;
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional()) continue;
        if (place-- == 0) return option;
        last = option;
    }
    return last && last->get_items_expected_max() > 1 ? last : nullptr;
}

inline Offers option_offers(const CLI::App& command) {
    Offers offers;
    for (const CLI::Option* option : command.get_options())
        if (is_shown(*option) && !option->get_positional())
            offers.values.push_back({name_of(*option), option->get_description()});
    return offers;
}

/// For "--option=VALUE", whose equals sign stands at `equals`.
inline Offers offers_behind(const CLI::App& command, const std::vector<std::string>& words,
                            std::size_t equals) {
    const std::string& begun = words.back();
    const CLI::Option* const option = option_called(command, begun.substr(0, equals));
    if (!option || !takes_value(*option)) return {};
    Offers offers = offers_for(command.get_name(), name_of(*option), begun.substr(equals + 1), words);
    for (Offer& offer : offers.values) offer.value.insert(0, begun, 0, equals + 1);
    offers.endings.clear();
    return offers;
}

inline Offers command_offers(const CLI::App& app) {
    Offers offers;
    for (const CLI::App* command : commands_of(app))
        offers.values.push_back({command->get_name(), command->get_description()});
    return offers;
}

/// Roff's own characters, and hyphens that may be copied.
inline std::string roff(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '\\')
            safe += "\\e";
        else if (c == '-')
            safe += "\\-";
        else
            safe += c;
        if (c == '\n') safe += "\\&";  // a dot or a quote at the beginning of a line is no command
    }
    return "\\&" + safe;
}

/// "INT:INT in [1 - 16]" is NUMBER, and its range "1 - 16"; a text has none.
inline std::string range_of(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    const std::size_t colon = type.find(':');
    if (colon == std::string::npos) return "";
    std::string range = type.substr(colon + 1);
    if (const std::size_t open = range.find('['); open != std::string::npos)
        range = range.substr(open + 1, range.find(']') - open - 1);
    return range;
}

inline std::string value_name(const CLI::Option& option, const std::string& command) {
    if (option.get_type_name().rfind("TEXT", 0) != 0) return "NUMBER";
    return endings_for(command, name_of(option)).empty() ? "NAME" : "FILE";
}

inline std::string manual_of(const CLI::Option& option, const std::string& command) {
    std::string names;
    for (const std::string& name : option.get_snames()) names += "\\fB" + roff("-" + name) + "\\fR, ";
    for (const std::string& name : option.get_lnames()) names += "\\fB" + roff("--" + name) + "\\fR, ";
    if (option.get_positional()) names += "\\fI" + roff(option.get_name()) + "\\fR, ";
    names.resize(names.size() - 2);
    if (!option.get_positional() && takes_value(option))
        names += " \\fI" + value_name(option, command) + "\\fR";
    const std::string range = range_of(option);
    return ".TP\n" + names + "\n" + roff(option.get_description()) +
           (range.empty() ? "" : roff(" (" + range + ")")) + "\n";
}

inline std::string manual_of(const CLI::App& command) {
    std::string synopsis = "\\fBgainstage " + roff(command.get_name()) + "\\fR [\\fIOPTIONS\\fR]";
    std::string positionals, options;
    for (const CLI::Option* option : command.get_options()) {
        if (!is_shown(*option)) continue;
        if (option->get_positional()) {
            const std::string name =
                "\\fI" + option->get_name() + "\\fR" + (option->get_items_expected_max() > 1 ? "..." : "");
            synopsis += option->get_required() ? " " + name : " [" + name + "]";
        }
        (option->get_positional() ? positionals : options) += manual_of(*option, command.get_name());
    }
    return ".SS " + roff(command.get_name()) + "\n" + synopsis + "\n.PP\n" + roff(command.get_description()) +
           ".\n" + positionals + options + ".PP\n.nf\n" + roff(command.get_footer()) + "\n.fi\n";
}

}  // namespace described_detail

/// Prints what may stand where the last word does. `words` are those behind the program's name; the last one
/// may be empty, or half typed.
inline void print_completions(const CLI::App& app, const std::vector<std::string>& words) {
    using namespace described_detail;
    const std::string begun = words.empty() ? "" : words.back();
    const bool is_option = begun.rfind('-', 0) == 0;
    if (words.size() <= 1) return print_offers(is_option ? option_offers(app) : command_offers(app), begun);
    for (const CLI::App* command : commands_of(app)) {
        if (command->get_name() != words.front()) continue;
        const std::vector<std::string> behind(words.begin() + 1, words.end());
        // "--device=U"
        const std::size_t equals = is_option ? begun.find('=') : std::string::npos;
        if (equals != std::string::npos) return print_offers(offers_behind(*command, behind, equals), begun);
        const CLI::Option* const argument = argument_at_end(*command, behind);
        if (is_option && (!argument || argument->get_positional()))
            print_offers(option_offers(*command), begun);
        else if (argument)
            print_offers(offers_for(command->get_name(), name_of(*argument), begun, behind), begun);
    }
}

/// Prints the part of the man page that tells of the commands, in roff.
inline void print_manual(const CLI::App& app) {
    for (const CLI::App* command : commands_of(app)) put_text(described_detail::manual_of(*command));
}

}  // namespace gainstage
