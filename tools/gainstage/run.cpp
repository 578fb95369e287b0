/// gainstage run PATCH

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/live_display.hpp"

namespace gainstage {

namespace {

std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

/// The first one asks for an end with a fade; the second ends now.
extern "C" void on_signal(int) {
    if (signals_seen.fetch_add(1) > 0) _exit(0);
}

/// What hangs can't be closed, not even by the libraries' own cleaning up at the end of a program.
[[noreturn]] void end_now(int code) {
    std::fflush(nullptr);
    std::_Exit(code);
}

struct RunOptions {
    LiveConfig config;
    bool json = false, no_connect = false;
};

int play(const RunOptions& options) {
    const auto form = options.json            ? LiveDisplay::Form::json
                      : isatty(STDERR_FILENO) ? LiveDisplay::Form::terminal
                                              : LiveDisplay::Form::lines;
    LiveDisplay display(form);
    LiveSession session(options.config, all_nodes(), [&](const LiveNews& news) { display.show(news); });
    if (const int code = print_problems(session.problems()); code != ok) return code;
    display.set_rate(session.format().rate_hz);
    auto next_status = std::chrono::steady_clock::now();
    while (signals_seen.load() == 0 && session.turn()) {
        const auto now = std::chrono::steady_clock::now();
        if (now < next_status) continue;
        next_status = now + std::chrono::milliseconds(display.status_every_ms());
        display.show(session.status());
    }
    const LiveSummary summary = session.finish();
    display.show(summary);
    if (summary.given_up) end_now(no_device);
    if (summary.device_lost) return no_device;
    return summary.is_incomplete ? cannot_write : ok;
}

int run_run(const RunOptions& options) {
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    try {
        return play(options);
    } catch (const DeviceError& error) {
        return fail(no_device, error.what());
    } catch (const std::runtime_error& error) {
        return fail(cannot_write, error.what());  // the log or the recording
    }
}

}  // namespace

void add_run(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<RunOptions>();
    LiveConfig& config = options->config;
    CLI::App* command = app.add_subcommand("run", "Play a patch live");
    command->add_option("patch", config.patch, "The patch (.toml)")->required();
    command->add_option("--api", config.audio.api, "Audio API: jack, alsa, pulse, core ...");
    command->add_option("--device", config.audio.device, "Audio device, by a part of its name");
    command->add_option("--in-device", config.audio.in_device,
                        "Another device for the input, by a part of its name");
    command->add_option("--rate", config.audio.rate_hz, "Sample rate in Hz; without: the device's own")
        ->check(CLI::Range(8'000, 384'000));
    command->add_option("--block", config.audio.block_frames, "Frames per block; JACK decides by itself")
        ->check(CLI::Range(1, 8'192));
    command
        ->add_option("--midi", config.midi,
                     "MIDI input, by a part of its name; virtual:NAME makes one; may be repeated")
        ->allow_extra_args(false);
    command->add_option("--name", config.audio.stream_name, "Name of the JACK client");
    command->add_flag("--no-connect", options->no_connect, "JACK: leave the connections to you");
    command
        ->add_option("--priority", config.audio.priority, "Real-time priority of the audio thread; 0: none")
        ->check(CLI::Range(0, 99));
    command->add_flag("--null", config.null_device, "No hardware: silence in, a clock, nothing heard");
    command->add_option("--seconds", config.seconds, "End by itself after so long")
        ->check(CLI::NonNegativeNumber);
    command->add_option("--log", config.log, "Write every event with its sample, for render --events");
    command->add_option("--record", config.record,
                        "Record the input to a WAV, from the first sample; render repeats the take from it");
    command
        ->add_option("--threads", config.threads,
                     "Threads that play branches of the patch beside each other; changes no bit of the sound")
        ->check(CLI::Range(1, Crew::max_threads));
    command->add_flag("--rehearse", config.rehearse,
                      "Watch the patch and its models, and take up what changes");
    command->add_flag("--json", options->json, "Events and status as JSON lines on standard output");
    command->callback([options, &exit_code] {
        options->config.audio.connect = !options->no_connect;
        exit_code = run_run(*options);
    });
}

}  // namespace gainstage
