/// gainstage-lab: what the engine's makers measure. Musicians have `gainstage bench`.

#include <stdexcept>

#include "runtime/model/model.hpp"
#include "tools/bench/bench_all.hpp"
#include "tools/bench/peer_library.hpp"
#include "tools/gainstage/exit_code.hpp"
#include "tools/gainstage/usage.hpp"

namespace gainstage {

namespace {

void add_bench(CLI::App& app, BenchAllOptions& options) {
    CLI::App* command = app.add_subcommand("bench", "Measure the model families on this machine");
    command
        ->add_flag_callback(
            "--all", [] {}, "Every family at the sizes that speed is promised for, beside plain Eigen")
        ->required();
    command->add_option("--only", options.only, "Only models whose names contain this");
    command
        ->add_option("--beside", options.beside,
                     "Another engine's models, measured in turn (tools/bench/peers)")
        ->check(CLI::ExistingFile)
        ->allow_extra_args(false);
    command->add_option("--seconds", options.seconds, "Sound to play per block size")
        ->check(number_between(0.1, 600., "seconds"));
    command->add_flag("--json", options.json, "For scripts");
    command->footer(
        footer_of({"gainstage-lab bench --all", "gainstage-lab bench --all --only \"GRU 8\" --json"},
                  {ok, usage, bad_data, internal, cannot_write, environment}));
}

int run_lab(int argc, char** argv) {
    CLI::App app("Measures Gainstage for its makers; for one patch or model: gainstage bench",
                 "gainstage-lab");
    app.footer(footer_of({"gainstage-lab bench --all", "gainstage-lab bench --help"},
                         {ok, usage, bad_data, internal, cannot_write, environment}));
    app.require_subcommand(1);
    BenchAllOptions options;
    add_bench(app, options);
    if (const auto code = parse(app, argc, argv)) return *code;
    try {
        return bench_all(options);
    } catch (const std::runtime_error& error) {
        return fail(bad_data, error.what());
    }
}

}  // namespace

}  // namespace gainstage

int main(int argc, char** argv) {
    return gainstage::run_guarded(gainstage::run_lab, argc, argv);
}
