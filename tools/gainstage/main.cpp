/// The command line: one binary, one subcommand for each thing that it does.

#include "tools/gainstage/command_line.hpp"
#include "tools/gainstage/exit_code.hpp"

int main(int argc, char** argv) {
    return gainstage::run_guarded(gainstage::run_command_line, argc, argv);
}
