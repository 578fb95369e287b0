/// The command line: one binary, one subcommand for each thing that it does.

#include "runtime/large_blocks.hpp"
#include "tools/gainstage/command_line.hpp"
#include "tools/gainstage/exit_code.hpp"

int main(int argc, char** argv) {
    gainstage::return_large_blocks();
    return gainstage::run_guarded(gainstage::run_command_line, argc, argv);
}
