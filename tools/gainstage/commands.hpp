#pragma once
/// The commands of `gainstage`, and what they share.

#include <string>

#include "runtime/problem.hpp"

namespace CLI {
class App;
}

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
    environment = 78,   ///< what the machine lacks
};

/// "gainstage: message" on standard error; returns the code.
int fail(int exit_code, const std::string& message);
/// One line each on standard error; returns the exit code that they ask for, `ok` where all are notes.
int print_problems(const Problems&);

// Each adds its subcommand, whose callback leaves its exit code in `exit_code`.
void add_run(CLI::App&, int& exit_code);
void add_render(CLI::App&, int& exit_code);
void add_check(CLI::App&, int& exit_code);
void add_devices(CLI::App&, int& exit_code);
void add_nodes(CLI::App&, int& exit_code);
void add_info(CLI::App&, int& exit_code);
void add_bench(CLI::App&, int& exit_code);

}  // namespace gainstage
