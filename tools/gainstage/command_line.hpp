#pragma once
/// The one place of `gainstage` that sees CLI11.

namespace gainstage {

/// Reads the command line and runs the command that it names. Returns its exit code.
int run_command_line(int argc, char** argv);

}  // namespace gainstage
