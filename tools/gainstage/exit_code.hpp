#pragma once
/// How a program of ours ends, and what it says on standard error.

#include <initializer_list>
#include <string>

#include "runtime/problem.hpp"

namespace gainstage {

/// Exit codes, after sysexits.h.
enum ExitCode : int {
    ok = 0,
    usage = 64,         ///< the command line
    bad_data = 65,      ///< a patch, a model, a sound file
    not_found = 66,     ///< a file
    no_device = 69,     ///< no such audio device or MIDI port, or it is gone
    internal = 70,      ///< a fault of ours
    cannot_write = 73,  ///< an output
    environment = 78,   ///< something that the machine lacks
};

/// A line each, for a page of help.
std::string text_of(std::initializer_list<ExitCode>);

/// Prints "gainstage: message" on standard error; returns the code.
int fail(int exit_code, const std::string& message) noexcept;
/// Prints one line each on standard error, and of the notes the first ten. Returns the worst exit code; `ok`
/// where all are notes.
int print_problems(const Problems&);

/// The whole of a program: opens the console, plays `run`, turns an exception that nothing caught into an
/// exit code, and closes the console.
int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv);

}  // namespace gainstage
