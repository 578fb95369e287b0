/// gainstage run PATCH

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "nodes/all_nodes.hpp"
#include "runtime/control/answer.hpp"
#include "runtime/control/input_door.hpp"
#include "runtime/control/live_session.hpp"
#include "runtime/control/queued_sink.hpp"
#include "runtime/control/socket_door.hpp"
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

/// Where other programs will find the session. Opened before it, because the session opens files at once and
/// there may be few descriptors.
struct Reach {
    std::unique_ptr<SessionSocket> socket;
    std::string words;  ///< what is to be said of it; "": nothing
};

Reach reach_of(const RunOptions& options) {
    const std::string name = options.session.empty() ? usual_session : options.session;
    Reach reach;
    try {
        reach.socket = std::make_unique<SessionSocket>(name);
        if (reach.socket->name() != name)
            reach.words = fmt::format(
                "a session {} runs already; commands reach this one by gainstage send --session {}", name,
                reach.socket->name());
    } catch (const NoSocket& fault) {
        reach.words = fmt::format("gainstage send can't reach this session: {}", fault.what());
    }
    return reach;
}

/// How other programs and standard input reach the session.
class Doors {
public:
    Doors(Reach reach, const RunOptions& options, LiveSession& session,
          const std::shared_ptr<QueuedSink>& shown) {
        if (!reach.words.empty()) session.say_at_start(reach.words);
        if (reach.socket) open_socket(std::move(reach.socket), session);
        if (options.commands) open_input(session, shown);
    }

private:
    void open_socket(std::unique_ptr<SessionSocket> socket, LiveSession& session) {
        try {
            socket_ = std::make_unique<SocketDoor>(std::move(socket), session.inbox());
        } catch (const std::runtime_error& fault) {
            session.say_at_start(fmt::format("gainstage send can't reach this session: {}", fault.what()));
        }
    }

    void open_input(LiveSession& session, const std::shared_ptr<QueuedSink>& shown) {
        const auto reply = [shown](const Answer& answer) {
            try {
                shown->take(report_of(answer));
            } catch (...) {  // no memory for the answer
            }
        };
        const auto note = [&session](const std::string& text) {
            session.inbox().bring([&session, text] { session.note(text); });
        };
        input_ = std::make_unique<InputDoor>(STDIN_FILENO, session.inbox(), reply, note);
        session.add(input_->gate());
    }

    std::unique_ptr<SocketDoor> socket_;
    std::unique_ptr<InputDoor> input_;
};

/// The status line on a terminal would get into what is typed there.
LiveDisplay::Form form_of(const RunOptions& options) {
    if (options.json) return LiveDisplay::Form::json;
    const bool is_typed_at = options.commands && isatty(STDIN_FILENO);
    return isatty(STDERR_FILENO) && !is_typed_at ? LiveDisplay::Form::terminal : LiveDisplay::Form::lines;
}

/// Who has typed nothing of it would look for the fault in vain.
std::string told_with_place(const SessionEnd& end, const RunOptions& options) {
    const MachineFile& machine = options.machine;
    const AudioRequest& audio = options.config.audio;
    const bool is_device_there =
        !options.config.null_device &&
        ((machine.device && audio.device == *machine.device) || (machine.api && audio.api == *machine.api));
    const bool is_port_there = machine.midi && options.config.midi == *machine.midi;
    if (end.exit_code != no_device || !(is_device_there || is_port_there)) return end.error;
    return fmt::format("{} ({} says: {})", end.error, machine.path, text_of(machine));
}

int play(const RunOptions& options) {
    if (const int code = print_problems(options.machine.problems); code != ok) return code;
    const auto [patch, fault] = meant_file(options.config.patch, {Shipped::patch});
    if (!fault.empty()) return fail(not_found, options.config.patch + ": " + fault);
    const EndSignals signals(true, message_descriptor());
    const auto display = std::make_shared<LiveDisplay>(form_of(options), message_descriptor());
    const auto shown = std::make_shared<QueuedSink>(display);
    LiveConfig config = options.config;
    config.patch = patch;
    config.status_every = display->status_every();
    Reach reach = reach_of(options);
    LiveSession session(config, all_nodes(), {.end_signals = &signals});
    session.add(shown);
    const SessionEnd end = [&] {
        const Doors doors(std::move(reach), options, session, shown);
        return session.run();
    }();
    bool is_told = is_shown(*shown, signals, 2s);
    if (!end.error.empty())
        is_told = returns_within(2s, [code = end.exit_code,
                                      text = told_with_place(end, options)] { fail(code, text); }) &&
                  is_told;
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
