#pragma once
/// Where a file is to be written, and why it can't be.

#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/walk_path.hpp"

namespace gainstage {

/// Names the file, the system's reason and a remedy. Exit code 73.
struct WriteError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] void throw_cannot_write(const std::string& file, const std::string& cause);
/// The same with the system's reason (errno), and the remedy for it.
[[noreturn]] void throw_cannot_write(const std::string& file, int error);

/// walk_path() for a file that is written. Throws WriteError that names `file`. Any thread.
FilePlace find_file_place(const std::string& file);

/// Makes a folder and those above it that are missing, by such a walk. Throws WriteError.
void make_folders(const std::string& folder);

/// A sentence for each folder on the way to these files where others may replace what is in it. Names that
/// are empty or lead nowhere are passed over. Any thread.
std::vector<std::string> notes_on_loose_folders(const std::vector<std::string>& files);

}  // namespace gainstage
