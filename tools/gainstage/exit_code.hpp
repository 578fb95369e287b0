#pragma once
/// How a program of ours ends, and what it says on standard error.

#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/problem.hpp"
#include "runtime/sysexits.hpp"

namespace gainstage {

/// See runtime/sysexits.hpp.
enum ExitCode : int {
    ok = sysexits::ok,
    usage = sysexits::usage,
    bad_data = sysexits::bad_data,
    not_found = sysexits::not_found,
    no_device = sysexits::no_device,
    internal = sysexits::internal,
    cannot_write = sysexits::cannot_write,
    environment = sysexits::environment,
};

/// A line each, for a page of help.
std::string text_of(std::initializer_list<ExitCode>);

/// Prints "gainstage: message" on standard error; returns the code.
int fail(int exit_code, std::string_view message) noexcept;
/// Prints one line each on standard error, and of the notes the first ten. Returns the worst exit code; `ok`
/// where all are notes.
int print_problems(const Problems&);

/// The whole of a program: opens the console, hears the signals that its parent may have blocked, plays `run`
/// on a stack that is large enough, turns an exception that nothing caught into an exit code, and closes the
/// console.
int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv);

}  // namespace gainstage
