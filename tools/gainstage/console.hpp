#pragma once
/// The one road for output: all that our programs print leaves here, but for the reports of a session, which
/// leave by a LiveDisplay.
///
///   standard output  the product of a command. What can't be written there ends the program with 73
///   standard error   messages. One that can't be written is lost, and nothing else happens
///
/// Nothing here throws. Each piece of text that is put into a format is cleaned (plain_line), so that no
/// name from a file steers a terminal or begins a line; layout is the format's alone. One thread at a time.

#include <fmt/format.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "runtime/plain_text.hpp"

namespace gainstage {

class JsonValue;

/// First of all in main(): see open_standard_streams().
void open_console() noexcept;
/// Last of all. Returns the exit code: 73 instead of 0 where a part of the product is missing, which is said
/// unless the reader went away by itself, as `head` does.
int close_console(int exit_code) noexcept;

/// A text of our own layout, or a part of one, to standard output.
void put_text(std::string_view text) noexcept;
/// The same and a newline to standard error.
void say_text(std::string_view line) noexcept;
/// There is no memory for a part of the product: nothing follows it, and close_console() says so.
void lose_a_part() noexcept;
/// In place of a line for which there is no memory.
void say_that_memory_is_short() noexcept;
/// The whole document and a newline to standard output. Bytes that are not UTF-8 are replaced.
/// `indent`: of a level; -1: all on one line.
void put_json(const nlohmann::json&, int indent = 2) noexcept;
void put_json(const nlohmann::ordered_json&, int indent = 2) noexcept;
/// The same. It has a name of its own because nlohmann's values turn into anything.
void put_document(const JsonValue&, int indent = 2) noexcept;

/// The descriptor behind the messages, which nobody turns away. After open_console().
int message_descriptor() noexcept;

/// A text of our own making that moves a terminal's cursor, to standard error; left out while the terminal is
/// held.
void draw(std::string_view text) noexcept;

/// A value for a format: text is cleaned.
template <class T>
auto piece(const T& value) {
    if constexpr (std::is_convertible_v<const T&, std::string_view>)
        return plain_line(value);
    else
        return value;
}

/// The text. Throws std::bad_alloc.
template <class... T>
std::string put_together(fmt::format_string<T...> format, T&&... values) {
    const auto pieces = std::make_tuple(piece(values)...);
    return std::apply(
        [&](const auto&... each) {
            return fmt::vformat(fmt::string_view(format), fmt::make_format_args(each...));
        },
        pieces);
}

/// The same; empty where there is no memory for it.
template <class... T>
std::string formatted(fmt::format_string<T...> format, T&&... values) noexcept {
    try {
        return put_together(format, std::forward<T>(values)...);
    } catch (...) {
        return {};
    }
}

/// The same with a format of fmt.
template <class... T>
void put(fmt::format_string<T...> format, T&&... values) noexcept {
    try {
        put_text(put_together(format, std::forward<T>(values)...));
    } catch (...) {
        lose_a_part();
    }
}
template <class... T>
void say(fmt::format_string<T...> format, T&&... values) noexcept {
    try {
        say_text(put_together(format, std::forward<T>(values)...));
    } catch (...) {
        say_that_memory_is_short();
    }
}

}  // namespace gainstage
