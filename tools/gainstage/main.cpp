/// The command line: one binary, one subcommand for each thing that it does.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>

#include "nodes/kernels/simd.hpp"
#include "tools/gainstage/commands.hpp"

namespace {

int run(int argc, char** argv) {
    int exit_code = gainstage::ok;
    CLI::App app("Gainstage plays patches of neural audio effects: live, and offline");
    app.set_version_flag("--version", "gainstage " GAINSTAGE_VERSION);
    app.require_subcommand(1);
    gainstage::add_run(app, exit_code);
    gainstage::add_render(app, exit_code);
    gainstage::add_check(app, exit_code);
    gainstage::add_devices(app, exit_code);
    gainstage::add_nodes(app, exit_code);
    gainstage::add_info(app, exit_code);
    gainstage::add_bench(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? gainstage::ok : gainstage::usage;
    }
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    // A file that outgrows the limit on file sizes is an error of writing like any other, not the end.
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        gainstage::simd_level();  // an unknown one is said before anything else
        return run(argc, argv);
    } catch (const gainstage::SimdError& error) {
        return gainstage::fail(gainstage::environment, error.what());
    } catch (const std::exception& error) {
        return gainstage::fail(
            gainstage::internal,
            fmt::format("a fault of Gainstage itself: {}; please report it", error.what()));
    }
}
