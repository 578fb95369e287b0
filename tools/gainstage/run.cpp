/// gainstage run PATCH

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

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

}  // namespace

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

}  // namespace gainstage
