#include "runtime/io/rtmidi_output.hpp"

#include <algorithm>
#include <atomic>
#include <semaphore>
#include <utility>

#include "runtime/io/due_midi.hpp"
#include "runtime/io/rtmidi_bridge.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

/// Shared with the threads that open and close it, for one that hangs keeps its part.
class RtMidiOutput::Port {
public:
    Port() = default;
    ~Port() {
        end_ = true;
        news_.release();
        if (thread_.joinable()) thread_.join();
    }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    void open(const std::string& name, MidiApis which) {
        auto open = open_rtmidi<RtMidiOut>(name, which, "out", [](RtMidiOut&) {});
        info = std::move(open.info);
        client_ = std::move(open.client);
        // RtMidi would print, or throw on the port's thread.
        client_->setErrorCallback([](RtMidiError::Type, const std::string&,
                                     void* self) { static_cast<Port*>(self)->has_failed_ = true; },
                                  this);
        thread_ = Thread(
            "gainstage-midi", [this] { send_all(); }, library_stack_bytes);
    }

    bool send(const DueMidi& message) noexcept {
        if (!queue.push(message)) return false;
        news_.release();
        return true;
    }

    MidiPortInfo info;
    DueMidiQueue queue;

private:
    void send_all() noexcept {
        for (news_.acquire(); !end_; news_.acquire())
            if (const DueMidi* const next = queue.next()) {
                has_failed_ = false;
                client_->sendMessage(next->message.bytes.data(), next->message.size);
                queue.done(!has_failed_);
            }
    }

    std::counting_semaphore<> news_{0};  // a message in the queue, or the end
    std::atomic<bool> end_{false};
    std::unique_ptr<RtMidiOut> client_;
    bool has_failed_ = false;  // the port's thread
    Thread thread_;
};

RtMidiOutput::RtMidiOutput(const std::string& name, MidiApis which) : open_(std::make_shared<Port>()) {
    const QuietStderr quiet;
    if (!returns_within(finding_patience, [port = open_, name, which] { port->open(name, which); }))
        fail_without_midi();
}

RtMidiOutput::~RtMidiOutput() {
    const QuietStderr quiet;
    free_within(closing_patience, std::move(open_));
}

const MidiPortInfo& RtMidiOutput::port() const noexcept {
    return open_->info;
}
bool RtMidiOutput::send(const MidiMessage& message, std::uint64_t due) noexcept {
    return open_->send({.due = due, .message = message});
}
std::uint64_t RtMidiOutput::sent() const noexcept {
    return open_->queue.sent();
}
std::uint64_t RtMidiOutput::dropped() const noexcept {
    return open_->queue.dropped();
}

MidiPorts list_midi_destinations() {
    return rtmidi_ports_soon<RtMidiOut>(MidiApis::all);
}

std::unique_ptr<MidiOutput> open_midi_output(const std::string& name, int number, StreamMidi* stream) {
    if (!stream) return std::make_unique<RtMidiOutput>(name);
    if (name.starts_with(virtual_prefix)) return stream->open_output(number, name);
    const MidiPorts own = stream->destinations(),
                    others = rtmidi_ports_soon<RtMidiOut>(MidiApis::without_jack);
    const MidiPortInfo& chosen = choose_midi_port(own, others, name);
    const auto is_it = [&](const MidiPortInfo& port) { return &port == &chosen; };
    if (std::any_of(own.begin(), own.end(), is_it)) return stream->open_output(number, chosen.name);
    return std::make_unique<RtMidiOutput>(chosen.name, MidiApis::without_jack);
}

}  // namespace gainstage
