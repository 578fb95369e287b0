#pragma once
/// What to say where the machine lacks something: the remedies name the limit that is in force.

#include <string>

namespace gainstage {

/// Where no thread is to be had: "this user may have 12 processes and threads (ulimit -u); ...". Any thread.
std::string remedy_for_threads();
/// Where this program has too many files open: "256 are allowed (ulimit -n); ...".
std::string remedy_for_descriptors();
/// Where there is no memory.
std::string remedy_for_memory();

/// Whether this error of the system (errno) means that a limit is reached.
bool is_of_a_limit(int error) noexcept;

}  // namespace gainstage
