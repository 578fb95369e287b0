#include "tools/gainstage/console.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "runtime/control/outlet.hpp"
#include "runtime/control/standard_streams.hpp"
#include "runtime/model/json_value.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/plain_text.hpp"
#include "tools/gainstage/exit_code.hpp"

namespace gainstage {

namespace {

/// Never destroyed: a thread that a library holds may come back after main() is over.
Outlet& product() {
    alignas(Outlet) static std::byte place[sizeof(Outlet)];  // needs no memory at the start
    static Outlet& forever = *new (place) Outlet(STDOUT_FILENO);
    return forever;
}

Outlet& messages() {
    alignas(Outlet) static std::byte place[sizeof(Outlet)];
    static Outlet& forever = *new (place) Outlet(STDERR_FILENO);
    return forever;
}

bool is_text_missing = false;  // no memory for a part of the product

/// After a part that is missing nothing follows: half a table or half a document looks whole.
void put_raw(std::string_view text) noexcept {
    if (!is_text_missing && product().error() == 0) product().write(text);
}

template <class Json>
void put_dump(const Json& json, int indent) noexcept {
    try {
        put_raw(plain_json(json.dump(indent, ' ', false, Json::error_handler_t::replace)) + "\n");
    } catch (...) {
        lose_a_part();
    }
}

}  // namespace

void open_console() noexcept {
    open_standard_streams();
    product();
    messages();
}

int close_console(int exit_code) noexcept {
    product().finish();
    const int error = product().error();
    if (error == 0 && !is_text_missing) return exit_code;
    if (is_text_missing)
        say("gainstage: a part of the output is missing: {}", out_of_memory);
    else if (error == EBADF)
        say("gainstage: standard output: cannot be written: it was closed at the start; run it again and let "
            "it lead somewhere");
    else if (error != EPIPE)
        say("gainstage: standard output: cannot be written: {}; a part of it is missing, make room and run "
            "it again",
            std::strerror(error));
    return exit_code == ok ? cannot_write : exit_code;
}

void lose_a_part() noexcept {
    is_text_missing = true;
}

void put_text(std::string_view text) noexcept {
    try {
        put_raw(plain_text(text));
    } catch (...) {
        lose_a_part();
    }
}

void say_text(std::string_view line) noexcept {
    try {
        messages().write(plain_text(line) + "\n");
    } catch (...) {
        say_that_memory_is_short();
    }
}

void say_that_memory_is_short() noexcept {
    messages().write("gainstage: there is not enough memory, not even for the message that belongs here\n");
}

void put_json(const nlohmann::json& json, int indent) noexcept {
    put_dump(json, indent);
}

void put_json(const nlohmann::ordered_json& json, int indent) noexcept {
    put_dump(json, indent);
}

void put_document(const JsonValue& json, int indent) noexcept {
    try {
        put_raw(plain_json(json.indented_text(indent)) + "\n");
    } catch (...) {
        lose_a_part();
    }
}

int message_descriptor() noexcept {
    return messages().descriptor();
}

void draw(std::string_view text) noexcept {
    if (messages().is_ready()) messages().write(text);
}

}  // namespace gainstage
