/// The command line: one binary, one subcommand for each thing that it does.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "tools/gainstage/commands.hpp"

namespace {

int run(int argc, char** argv) {
    int exit_code = gainstage::ok;
    CLI::App app("Gainstage plays patches of neural audio effects: live, and offline");
    app.set_version_flag("--version", "gainstage " GAINSTAGE_VERSION);
    app.require_subcommand(1);
    gainstage::add_run(app, exit_code);
    gainstage::add_render(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? gainstage::ok : gainstage::usage;
    }
    return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        return gainstage::fail(
            gainstage::internal,
            fmt::format("a fault of Gainstage itself: {}; please report it", error.what()));
    }
}
