#include "runtime/foreign_bytes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace gainstage {

namespace {

using namespace std::string_view_literals;

struct Sign {
    std::string_view bytes, meaning;
};

constexpr std::array signs{
    Sign{"version https://git-lfs.github.com/spec/"sv,
         "a Git LFS pointer, not the file itself; fetch the file with: git lfs pull"sv},
    Sign{"\0\5\x16\7"sv,
         "a macOS companion file (._NAME), which holds no content; take the file without ._"sv},
    Sign{"\0\5\x16\0"sv, "a macOS AppleSingle file; copy the file again with another program"sv},
    Sign{"PK\3\4"sv, "a ZIP archive or an office document; unpack it, or save it in the right format"sv},
    Sign{"\x1f\x8b"sv, "a gzip archive; unpack it first"sv},
    Sign{"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive; unpack it first"sv},
    Sign{"Rar!"sv, "a RAR archive; unpack it first"sv},
    Sign{"\xfd"
         "7zXZ"sv,
         "an xz archive; unpack it first"sv},
    Sign{"\x28\xb5\x2f\xfd"sv, "a Zstandard archive; unpack it first"sv},
    Sign{"BZh"sv, "a bzip2 archive; unpack it first"sv},
    Sign{"\x89PNG\r\n"sv, "a picture (PNG)"sv},
    Sign{"\xff\xd8\xff"sv, "a picture (JPEG)"sv},
    Sign{"GIF8"sv, "a picture (GIF)"sv},
    Sign{"SQLite format 3"sv, "a database (SQLite)"sv},
    Sign{"%PDF"sv, "a PDF document"sv},
    Sign{"{\\rtf"sv, "a document of a word processor (RTF); save it as plain text"sv},
};

constexpr std::array sounds{
    Sign{"fLaC"sv, "a sound file (FLAC)"sv}, Sign{"OggS"sv, "a sound file (Ogg)"sv},
    Sign{"ID3"sv, "a sound file (MP3)"sv},   Sign{"caff"sv, "a sound file (CAF)"sv},
    Sign{".snd"sv, "a sound file (AU)"sv},   Sign{"MThd"sv, "a MIDI file"sv},
};

constexpr std::array<std::string_view, 4> pages{"<!doctype html"sv, "<html"sv, "<head"sv, "<?xml"sv};

char small(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool begins_with_small(std::string_view text, std::string_view start) {
    return text.size() >= start.size() &&
           std::equal(start.begin(), start.end(), text.begin(), [](char a, char b) { return a == small(b); });
}

struct Character {
    std::string_view utf8, cause;
};
constexpr std::array typography{
    Character{"\u201c"sv, "a curly quotation mark (\u201c); write a straight one: \""sv},
    Character{"\u201d"sv, "a curly quotation mark (\u201d); write a straight one: \""sv},
    Character{"\u201e"sv, "a low quotation mark (\u201e); write a straight one: \""sv},
    Character{"\u00ab"sv, "a French quotation mark (\u00ab); write a straight one: \""sv},
    Character{"\u00bb"sv, "a French quotation mark (\u00bb); write a straight one: \""sv},
    Character{"\u2018"sv, "a curly quotation mark (\u2018); write a straight one: '"sv},
    Character{"\u2019"sv, "a curly quotation mark (\u2019); write a straight one: '"sv},
    Character{"\u2212"sv, "a typographic minus sign (\u2212); write the one of the keyboard: -"sv},
    Character{"\u2013"sv, "a dash (\u2013); write the minus sign of the keyboard: -"sv},
    Character{"\u2014"sv, "a dash (\u2014); write the minus sign of the keyboard: -"sv},
    Character{"\u2010"sv, "a hyphen (\u2010); write the minus sign of the keyboard: -"sv},
    Character{"\u2011"sv, "a hyphen (\u2011); write the minus sign of the keyboard: -"sv},
    Character{"\u2039"sv, "a French quotation mark (\u2039); write a straight one: '"sv},
    Character{"\u203a"sv, "a French quotation mark (\u203a); write a straight one: '"sv},
    Character{"\u201a"sv, "a low quotation mark (\u201a); write a straight one: '"sv},
    Character{"\u00b4"sv, "an accent (\u00b4); write a straight quotation mark: '"sv},
    Character{"\u2192"sv, "an arrow (\u2192); write it as ->"sv},
    Character{"\u21d2"sv, "an arrow (\u21d2); write it as ->"sv},
    Character{"\u27f6"sv, "an arrow (\u27f6); write it as ->"sv},
    Character{"\u279c"sv, "an arrow (\u279c); write it as ->"sv},
    Character{"\u2794"sv, "an arrow (\u2794); write it as ->"sv},
    Character{"\u3010"sv, "a bracket of another script (\u3010); write an ordinary one: ["sv},
    Character{"\u3011"sv, "a bracket of another script (\u3011); write an ordinary one: ]"sv},
    Character{"\u3014"sv, "a bracket of another script (\u3014); write an ordinary one: ["sv},
    Character{"\u3015"sv, "a bracket of another script (\u3015); write an ordinary one: ]"sv},
    Character{"\u300c"sv, "a quotation mark of another script (\u300c); write a straight one: \""sv},
    Character{"\u300d"sv, "a quotation mark of another script (\u300d); write a straight one: \""sv},
    Character{"\u3001"sv, "a comma of another script (\u3001); write an ordinary one: ,"sv},
    Character{"\u3000"sv, "a fullwidth space; write an ordinary one"sv},
    Character{"\u2026"sv, "an ellipsis (\u2026) in one character; take it out"sv},
    Character{"\u00a0"sv, "a no-break space; write an ordinary one"sv},
    Character{"\u202f"sv, "a narrow no-break space; write an ordinary one"sv},
    Character{"\u200b"sv, "an invisible character (zero-width space); take it out"sv},
    Character{"\ufeff"sv, "an invisible character (byte-order mark); take it out"sv},
};

/// U+FF01 to U+FF5E are the characters of ASCII for another script. Empty: it is none of them.
std::string fullwidth(std::string_view text) {
    constexpr std::uint32_t first = 0xFF01, last = 0xFF5E, first_narrow = 0x21;
    if (text.size() < 3 || text[0] != '\xef') return {};
    const auto byte = [&](std::size_t k) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(text[k]));
    };
    const std::uint32_t point = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    if (point < first || point > last) return {};
    return "a fullwidth character (" + std::string(text.substr(0, 3)) +
           "); write the one of the keyboard: " + static_cast<char>(first_narrow + point - first);
}

/// From the first byte that says something.
std::string_view begun(std::string_view head) {
    head = without_mark(head);
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    return head;
}

}  // namespace

std::string sound_or_midi(std::string_view head) {
    for (const Sign& sign : sounds)
        if (head.starts_with(sign.bytes)) return std::string(sign.meaning);
    if (head.size() < 12) return {};
    const std::string_view outside = head.substr(0, 4), inside = head.substr(8, 4);
    if (inside == "WAVE" && outside != "FORM") return "a sound file (WAV)";
    if (outside == "FORM" && inside.starts_with("AIF")) return "a sound file (AIFF)";
    return {};
}

std::string model_of_others(std::string_view head) {
    const std::string importer = "convert it with tools/import_model (--help), and play the result";
    if (head.starts_with("PK\3\4")) return "a PyTorch checkpoint, or another ZIP archive; " + importer;
    if (head.starts_with("\x89HDF\r\n")) return "a Keras model (HDF5); " + importer;
    if (head.starts_with("\x80\2") || head.starts_with("\x80\3"))
        return "an old PyTorch checkpoint (pickle); " + importer;
    if (!begun(head).starts_with('{')) return {};
    const auto has = [head](std::string_view word) { return head.find(word) != head.npos; };
    if (has("\"architecture\"") && has("\"config\""))
        return "a capture of Neural Amp Modeler (.nam), which isn't played yet; play a model of the same "
               "device in another form (a GuitarML or Proteus .json, a PyTorch checkpoint), or train one "
               "from a recording with tools/gainstage_train";
    if (has("\"state_dict\"") || has("\"model_data\""))
        return "a model of GuitarML or Proteus (.json); convert it with tools/import_model lstm FILE -o "
               "NAME.safetensors, and play the result";
    return {};
}

std::string model_in_place_of_a_patch(std::string_view head) {
    constexpr std::size_t length_bytes = 8;
    if (head.size() <= length_bytes || head[length_bytes] != '{') return {};
    if (head[5] || head[6] || head[7]) return {};  // no header is that long
    return "a model, not a patch; a patch plays it in a node: type = \"...\", model = \"FILE\" (gainstage "
           "info FILE tells the type, patches/ has examples)";
}

std::string text_in_place_of_a_model(std::string_view head) {
    if (begun(head).empty()) return "nothing but blanks; expected a model (.safetensors)";
    if (!json_page(head).empty() || begun(head).starts_with('{'))
        return "JSON text, as other programs write models; tools/import_model (--help) converts some of them";
    for (const std::string_view sign : {"[nodes."sv, "\nlinks"sv, "format = "sv, "[[midi]]"sv})
        if (head.find(sign) != head.npos)
            return "a patch, not a model; gainstage check FILE looks at it, gainstage run FILE plays it";
    return "text; expected a model (.safetensors)";
}

std::string json_page(std::string_view head) {
    std::string_view text = begun(head);
    if (!text.starts_with('{') && !text.starts_with('[')) return {};
    text = begun(text.substr(1));
    const bool goes_on = text.starts_with('"') || text.starts_with('{') || text.starts_with('}');
    return goes_on ? "JSON text, such as a server's answer in place of the file; download the file again"
                   : "";
}

std::string impostor(std::string_view head) {
    for (const Sign& sign : signs)
        if (head.starts_with(sign.bytes)) return std::string(sign.meaning);
    const std::string_view text = begun(head);
    for (const std::string_view page : pages)
        if (begins_with_small(text, page)) return "a web page, not the file itself; download the file again";
    return {};
}

std::string no_text(std::string_view bytes) {
    if (std::string known = impostor(bytes); !known.empty()) return known;
    if (std::string sound = sound_or_midi(bytes); !sound.empty()) return sound + "; expected a text file";
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
        return "UTF-16 text; save the file as UTF-8";
    if (bytes.find('\0') != std::string_view::npos) return "a binary file; expected a text file";
    return {};
}

std::string_view without_mark(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    return text;
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with("\r\n"))
        text.remove_prefix(2);
    else if (!text.empty())
        text.remove_prefix(1);
    return line;
}

std::string foreign_sound(std::string_view head) {
    if (head.empty()) return "the file is empty";
    if (std::string known = impostor(head); !known.empty()) return known;
    if (std::string known = json_page(head); !known.empty()) return known;
    if (head.starts_with("MThd")) return "a MIDI file; give it as --midi";
    if (head.size() >= 8 && head.substr(4, 4) == "ftyp")
        return "an MP4 file (AAC or ALAC, .m4a); convert it: ffmpeg -i FILE NEW.wav";
    if (head.starts_with("\x1a\x45\xdf\xa3"))
        return "a Matroska or WebM file; convert it: ffmpeg -i FILE NEW.wav";
    if (head.starts_with("\x30\x26\xb2\x75"))
        return "a Windows Media file; convert it: ffmpeg -i FILE NEW.wav";
    return {};
}

std::string with_line_feeds(std::string_view text) {
    std::string out(text);
    for (auto at = out.find('\r'); at != std::string::npos; at = out.find('\r', at + 1))
        if (at + 1 == out.size() || out[at + 1] != '\n') out[at] = '\n';
    return out;
}

std::string typographic(std::string_view text) {
    for (const Character& character : typography)
        if (text.starts_with(character.utf8)) return std::string(character.cause);
    return fullwidth(text);
}

}  // namespace gainstage
