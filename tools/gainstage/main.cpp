/// The command line: one binary, one subcommand for each thing that it does.

#include <csignal>

#include "tools/gainstage/command_line.hpp"
#include "tools/gainstage/exit_code.hpp"

int main(int argc, char** argv) {
    // A file that outgrows the limit on file sizes is an error of writing like any other, not the end.
    std::signal(SIGXFSZ, SIG_IGN);
    return gainstage::run_guarded(gainstage::run_command_line, argc, argv);
}
