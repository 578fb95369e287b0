#include "runtime/control/input_door.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <utility>

#include "runtime/control/command_lines.hpp"
#include "runtime/control/parse_command.hpp"
#include "runtime/control/wake.hpp"
#include "runtime/system_reason.hpp"

namespace gainstage {

using namespace std::chrono_literals;

/// What the thread and late answers use.
struct InputDoor::State {
    static constexpr int most_under_way = 64;

    State(int descriptor_, Inbox& inbox_, Reply reply_, Note note_)
        : descriptor(descriptor_), inbox(inbox_), reply(std::move(reply_)), note(std::move(note_)) {}

    const int descriptor;
    Inbox& inbox;  // not after `is_closed`
    const Reply reply;
    const Note note;
    const Wake wake;
    std::mutex mutex;
    std::condition_variable changed;
    int under_way = 0;
    bool is_open = false, is_closed = false, is_over = false;

    // the door's thread
    void read_on(const std::shared_ptr<State>& self);
    std::string read_until_end(const std::shared_ptr<State>& self);
    void post(const std::shared_ptr<State>& self, CommandLines& lines);
    bool take_place();
    bool wait_for_gate(const std::string& line);
    bool has_closed() {
        const std::lock_guard lock(mutex);
        return is_closed;
    }
    /// True: something can be read.
    bool wait(std::chrono::milliseconds limit);
};

bool InputDoor::State::wait(std::chrono::milliseconds limit) {
    pollfd waited[] = {{.fd = descriptor, .events = POLLIN, .revents = 0},
                       {.fd = wake.fd(), .events = POLLIN, .revents = 0}};
    const int count = poll(waited, std::size(waited), static_cast<int>(limit.count()));
    return count > 0 && waited[0].revents != 0;
}

/// False: the door is closed.
bool InputDoor::State::take_place() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return is_closed || under_way < most_under_way; });
    if (is_closed) return false;
    ++under_way;
    return true;
}

/// False: the door is closed.
bool InputDoor::State::wait_for_gate(const std::string& line) {
    std::unique_lock lock(mutex);
    if (is_open || is_closed) return !is_closed;
    const ParsedCommand parsed = parse_command(line);
    if (parsed.command && parsed.command->kind == Command::Kind::quit) return true;
    changed.wait(lock, [this] { return is_closed || is_open; });
    return !is_closed;
}

void InputDoor::State::post(const std::shared_ptr<State>& self, CommandLines& lines) {
    while (auto line = lines.next()) {
        if (!wait_for_gate(line->text) || !take_place()) return;
        const auto answered = [self](const Answer& answer) {
            self->reply(answer);
            const std::lock_guard lock(self->mutex);
            --self->under_way;
            self->changed.notify_all();
        };
        if (line->is_too_long)
            post_refused(inbox, too_long_line(), answered);
        else if (!post_line(inbox, line->text, answered)) {
            const std::lock_guard lock(mutex);
            --under_way;
        }
    }
}

/// Why it ends; "": the door was closed.
std::string InputDoor::State::read_until_end(const std::shared_ptr<State>& self) {
    CommandLines lines;
    std::array<char, 4'096> bytes;
    while (!has_closed()) {
        if (!wait(10s)) continue;
        const ssize_t count = read(descriptor, bytes.data(), bytes.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
        if (count < 0 && errno == EIO && isatty(descriptor)) {
            // In the background of a shell the terminal is somebody else's; it may come back.
            std::unique_lock lock(mutex);
            changed.wait_for(lock, 1s, [this] { return is_closed; });
            continue;
        }
        if (count < 0)
            return fmt::format("standard input cannot be read ({}): no more commands come from there",
                               system_reason(errno));
        if (count == 0) break;
        lines.add({bytes.data(), static_cast<std::size_t>(count)});
        post(self, lines);
    }
    if (has_closed()) return {};
    if (lines.is_in_a_line())
        post_refused(inbox, "the line is cut off: a command ends with a line end", reply);
    return "standard input has ended: no more commands come from there";
}

void InputDoor::State::read_on(const std::shared_ptr<State>& self) {
    try {
        const std::string end = read_until_end(self);
        if (!end.empty() && !has_closed()) note(end);
    } catch (const std::bad_alloc&) {  // no memory: the door ends, and nothing else does
    }
    const std::lock_guard lock(mutex);
    is_over = true;
    changed.notify_all();
}

InputDoor::InputDoor(int descriptor, Inbox& inbox, Reply reply, Note note)
    : state_(std::make_shared<State>(descriptor, inbox, std::move(reply), std::move(note))),
      thread_("gainstage-stdin", [state = state_] { state->read_on(state); }) {}

std::shared_ptr<Sink> InputDoor::gate() const {
    class Gate final : public Sink {
    public:
        explicit Gate(std::shared_ptr<State> state) : state_(std::move(state)) {}
        void take(const SessionReport& report) override {
            if (report.kind != SessionReport::Kind::started) return;
            const std::lock_guard lock(state_->mutex);
            state_->is_open = true;
            state_->changed.notify_all();
        }

    private:
        const std::shared_ptr<State> state_;
    };
    return std::make_shared<Gate>(state_);
}

InputDoor::~InputDoor() {
    std::unique_lock lock(state_->mutex);
    state_->is_closed = true;
    state_->changed.notify_all();
    state_->wake.call();
    const bool is_over = state_->changed.wait_for(lock, 200ms, [this] { return state_->is_over; });
    lock.unlock();
    is_over ? thread_.join() : thread_.detach();
}

}  // namespace gainstage
