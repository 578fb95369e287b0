#include "runtime/io/file_place.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "runtime/limits.hpp"

#include "runtime/system_reason.hpp"

namespace gainstage {

void throw_cannot_write(const std::string& file, const std::string& cause) {
    throw WriteError(
        fmt::format("{}: cannot be written: {}; choose another place, or make room there", file, cause));
}

void throw_cannot_write(const std::string& file, int error) {
    if (!is_of_a_limit(error)) throw_cannot_write(file, system_reason(error));
    // Another place would not help.
    throw WriteError(fmt::format("{}: cannot be written: {}", file, system_reason(error)));
}

namespace {

[[noreturn]] void refuse_place(const std::string& file, const PathFault& fault) {
    if (is_of_a_limit(fault.error)) throw_cannot_write(file, fault.error);
    throw_cannot_write(file, fault.what());
}

}  // namespace

FilePlace find_file_place(const std::string& file) {
    if (file.empty()) throw_cannot_write("\"\"", "the name is empty");
    try {
        return walk_path(file, Errand::write);
    } catch (const PathFault& fault) {
        refuse_place(file, fault);
    }
}

void make_folders(const std::string& folder) {
    try {
        walk_path(folder + "/.", Errand::make_folders);
    } catch (const PathFault& fault) {
        if (fault.error == ENOTDIR) throw_cannot_write(folder, "it is no folder");
        refuse_place(folder, fault);
    }
}

std::vector<std::string> notes_on_loose_folders(const std::vector<std::string>& files) {
    std::vector<std::string> notes;
    for (const std::string& file : files) try {
            if (file.empty()) continue;
            const std::string folder = walk_path(file, Errand::write).loose_folder;
            if (folder.empty()) continue;
            std::string note = fmt::format(
                "{}: other users may write to this folder, and replace or delete what is in it; write into a "
                "folder of your own, or make it sticky (chmod +t)",
                folder);
            if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
        } catch (const PathFault&) {  // whoever writes the file says so
        }
    return notes;
}

}  // namespace gainstage
