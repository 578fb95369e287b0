#include "runtime/patch/read_patch.hpp"

#include <filesystem>
#include <fstream>

#include "runtime/patch/read_tables.hpp"

namespace gainstage {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_bytes = 4u << 20;  // a thousand nodes take about 50 kB

/// Why the bytes are no text at all; empty: they may be TOML.
std::string no_text(std::string_view bytes) {
    if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"))
        return "UTF-16 text; save the file as UTF-8";
    if (bytes.find('\0') != std::string_view::npos) return "a binary file; a patch is a text file";
    if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return "the file is empty; a patch begins with format = 1";
    return {};
}

ReadPatch refused(const std::string& file, std::string message, int exit_code) {
    ReadPatch read;
    read.patch.readable = false;
    read.patch.file = file;
    ProblemList problems(file);
    problems.error({}, "", std::move(message), exit_code);
    read.problems = problems.take();
    return read;
}

std::string too_large() {
    return fmt::format("larger than {} MiB; that is no patch", largest_bytes >> 20);
}

/// Reads at most one byte beyond `size`: the file may be growing.
std::optional<std::string> read_bytes(const std::string& file, std::uintmax_t size) {
    std::ifstream stream(file, std::ios::binary);
    std::string bytes(size + 1, '\0');
    if (!stream) return std::nullopt;
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (stream.bad()) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(stream.gcount()));
    return bytes;
}

}  // namespace

ReadPatch read_patch_file(const std::string& file) {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    if (status.type() == fs::file_type::not_found) return refused(file, "no such file", 66);
    if (error) return refused(file, fmt::format("can't be opened: {}", error.message()), 66);
    if (fs::is_directory(status)) return refused(file, "a folder; expected a patch file", 66);
    if (!fs::is_regular_file(status)) return refused(file, "not a regular file; expected a patch file", 66);
    const std::uintmax_t size = fs::file_size(file, error);
    if (error) return refused(file, fmt::format("can't be opened: {}", error.message()), 66);
    if (size > largest_bytes) return refused(file, too_large(), 65);

    auto bytes = read_bytes(file, size);
    if (!bytes) return refused(file, "can't be read; check its permissions", 66);
    if (bytes->size() > size) return refused(file, "grew while it was read; try again", 65);
    return read_patch_text(std::move(*bytes), file, fs::path(file).parent_path().string());
}

ReadPatch read_patch_text(std::string text, const std::string& file, const std::string& folder) {
    if (text.size() > largest_bytes) return refused(file, too_large(), 65);
    if (const std::string cause = no_text(text); !cause.empty()) return refused(file, cause, 65);
    ReadPatch read;
    read.patch.file = file;
    read.patch.folder = folder;
    ProblemList problems(file);
    const auto document = parse_toml(text, problems);
    read.patch.readable = document.has_value();
    if (document) read_document(*document, read.patch, problems);
    read.patch.text = std::move(text);
    read.problems = problems.take();
    return read;
}

}  // namespace gainstage
