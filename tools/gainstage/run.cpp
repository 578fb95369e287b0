/// gainstage run PATCH

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>

#include "nodes/all_nodes.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/control/queued_sink.hpp"
#include "runtime/io/patience.hpp"
#include "tools/gainstage/commands.hpp"
#include "tools/gainstage/console.hpp"
#include "tools/gainstage/live_display.hpp"
#include "tools/gainstage/shipped.hpp"

namespace gainstage {

namespace {

using namespace std::chrono_literals;

/// Waits until all is shown. A display may be held: not longer than `limit`, nor after a second signal.
bool is_shown(QueuedSink& display, const EndSignals& signals, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!display.finish(20ms))
        if (signals.count() > 1 || std::chrono::steady_clock::now() >= end) return false;
    return true;
}

int play(const RunOptions& options) {
    const auto [patch, fault] = meant_file(options.config.patch, {Shipped::patch});
    if (!fault.empty()) return fail(not_found, options.config.patch + ": " + fault);
    const auto form = options.json            ? LiveDisplay::Form::json
                      : isatty(STDERR_FILENO) ? LiveDisplay::Form::terminal
                                              : LiveDisplay::Form::lines;
    const EndSignals signals(true, message_descriptor());
    const auto display = std::make_shared<LiveDisplay>(form, message_descriptor());
    const auto shown = std::make_shared<QueuedSink>(display);
    LiveConfig config = options.config;
    config.patch = patch;
    config.status_every = display->status_every();
    LiveSession session(config, all_nodes(), {.end_signals = &signals});
    session.add(shown);
    const SessionEnd end = session.run();
    bool is_told = is_shown(*shown, signals, 2s);
    if (!end.error.empty())
        is_told = returns_within(2s, [end] { fail(end.exit_code, end.error); }) && is_told;
    // What hangs can't be closed, not even by the libraries' own cleaning up at the end of a program.
    if (end.leaves_threads || !is_told) std::_Exit(end.exit_code);
    return end.exit_code;
}

}  // namespace

int run_run(const RunOptions& options) {
    try {
        return play(options);
    } catch (const std::runtime_error& error) {
        return fail(environment, error.what());  // no thread, no descriptor, no watch
    }
}

}  // namespace gainstage
