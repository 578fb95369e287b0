#include "runtime/plain_text.hpp"

#include <fmt/format.h>

#include <array>

namespace gainstage {

namespace {

constexpr const char* replacement = "\xEF\xBF\xBD";  // U+FFFD

struct Glyph {
    char32_t code = 0;
    std::size_t bytes = 0;  ///< 0: the text does not begin with a character of UTF-8
};

/// The first character of `text`, which is not empty.
Glyph first_of(std::string_view text) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
    char32_t code = lead & (0xFFu >> (bytes + 1));
    for (std::size_t k = 1; k < bytes; ++k) {
        if ((byte(k) & 0xC0u) != 0x80u) return {};
        code = code << 6 | (byte(k) & 0x3Fu);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[bytes] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
    return {code, bytes};
}

bool is_control(char32_t code) {
    if (code < 0x20 || (code >= 0x7F && code < 0xA0)) return true;
    // marks and overrides of the direction of writing
    return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069);
}

/// Puts `instead(code)` in place of each control character.
template <class Instead>
std::string without_controls(std::string_view text, Instead instead) {
    std::string plain;
    plain.reserve(text.size());
    while (!text.empty()) {
        const Glyph character = first_of(text);
        if (character.bytes == 0) {
            plain += replacement;
            text.remove_prefix(1);
            continue;
        }
        if (is_control(character.code))
            plain += instead(character.code);
        else
            plain += text.substr(0, character.bytes);
        text.remove_prefix(character.bytes);
    }
    return plain;
}

bool is_layout(char32_t code) {
    return code == '\n' || code == '\t';
}

}  // namespace

std::string plain_line(std::string_view text) {
    return without_controls(text, [](char32_t) { return "?"; });
}

std::string plain_text(std::string_view text) {
    return without_controls(text,
                            [](char32_t code) { return is_layout(code) ? static_cast<char>(code) : '?'; });
}

std::string plain_json(std::string_view json) {
    return without_controls(json, [](char32_t code) {
        return is_layout(code) ? std::string(1, static_cast<char>(code))
                               : fmt::format("\\u{:04x}", static_cast<unsigned>(code));
    });
}

}  // namespace gainstage
