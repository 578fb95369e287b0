#include "runtime/io/user_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include "runtime/folder_names.hpp"
#include "runtime/io/new_file.hpp"
#include "runtime/numbers.hpp"
#include "runtime/own_folders.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_user_file = std::size_t{16} << 20;
constexpr std::size_t digits_of_a_number = 6;

/// FNV-1a. Tells files of one name in several folders apart.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

/// A former text: "000012.toml", or "000013.undone.toml" for one that gave way to an earlier one.
struct Backup {
    int number = 0;
    bool is_undone = false;
    std::string path;
};

/// In the order of their numbers.
std::vector<Backup> backups_in(const std::string& folder) {
    std::vector<Backup> found;
    for (const std::string& name : names_in(folder)) {
        const auto number = text_as_whole(std::string_view(name).substr(0, name.find('.')));
        if (!number || *number < 1 || *number > 999'999) continue;
        found.push_back({.number = static_cast<int>(*number),
                         .is_undone = name.find(".undone") != std::string::npos,
                         .path = folder + "/" + name});
    }
    std::sort(found.begin(), found.end(),
              [](const Backup& a, const Backup& b) { return a.number < b.number; });
    return found;
}

std::optional<std::string> text_in(const std::string& file) {
    struct stat found {};
    if (stat(file.c_str(), &found) != 0 && errno == ENOENT) return std::nullopt;
    try {
        return read_whole_file(file, "file", largest_user_file);
    } catch (const FileFault& fault) {
        throw_cannot_write(file, fault.what());
    }
}

void write_whole(const std::string& file, std::string_view text, const FileManner& manner = {}) {
    NewFile made(file, manner);
    if (!made.append(text)) made.fail(std::strerror(errno));
    made.finish();
}

/// Keeps a text and forgets the oldest ones. Returns where it lies.
std::string keep_text(const std::string& file, std::string_view text, bool is_undone) {
    const std::string folder = backups_folder(file);
    make_folders(folder);
    std::vector<Backup> there = backups_in(folder);
    const int number = there.empty() ? 1 : there.back().number + 1;
    const std::string path = fmt::format("{}/{:0{}}{}{}", folder, number, digits_of_a_number,
                                         is_undone ? ".undone" : "", fs::path(file).extension().string());
    write_whole(path, text, {.may_replace = false, .is_private = true});
    const int surplus = static_cast<int>(there.size()) + 1 - most_backups;
    for (int k = 0; k < surplus; ++k) unlink(there[k].path.c_str());
    return path;
}

}  // namespace

std::string backups_folder(const std::string& file) {
    const std::string state = state_folder();
    if (state.empty())
        throw_cannot_write(file, "its former text has no place, for neither XDG_STATE_HOME nor HOME is set");
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(file, error);
    const fs::path path = error ? fs::path(file) : whole;
    return fmt::format("{}/backups/{}.{:016x}", state, path.filename().string().substr(0, 200),
                       hash_of(path.string()));
}

std::string replace_user_file(const std::string& file, std::string_view text) {
    const auto former = text_in(file);
    const std::string kept = former ? keep_text(file, *former, false) : std::string();
    write_whole(file, text);
    return kept;
}

BroughtBack bring_back_user_file(const std::string& file) {
    const std::vector<Backup> there = backups_in(backups_folder(file));
    const auto latest =
        std::find_if(there.rbegin(), there.rend(), [](const Backup& one) { return !one.is_undone; });
    if (latest == there.rend()) return {};
    const auto text = text_in(latest->path);
    if (!text) return {};
    const auto now = text_in(file);
    const std::string kept = keep_text(file, now.value_or(std::string()), true);
    write_whole(file, *text);
    unlink(latest->path.c_str());
    return {.former = kept};
}

}  // namespace gainstage
