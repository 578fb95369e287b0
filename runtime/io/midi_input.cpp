#include "runtime/io/midi_input.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "runtime/io/delta_clock.hpp"
#include "runtime/io/patience.hpp"
#include "runtime/io/quiet_stderr.hpp"
#include "runtime/io/rtmidi_bridge.hpp"

namespace gainstage {

/// Shared with the threads that open and close it, for one that hangs keeps its part.
class MidiInput::Port {
public:
    explicit Port(MidiQueue& queue) : queue_(queue) {}

    void open(const std::string& name, MidiApis which) {
        auto open = open_rtmidi<RtMidiIn>(name, which, "in", [this](RtMidiIn& client) {
            client.ignoreTypes(true, true, true);
            client.setCallback(receive, this);
        });
        info = std::move(open.info);
        client_ = std::move(open.client);
        // From now on RtMidi would print from the port's thread.
        client_->setErrorCallback([](RtMidiError::Type, const std::string&, void*) {}, nullptr);
    }

    /// Nothing is put into the queue any more, whatever the driver does.
    void shut() noexcept { gate_.shut(); }

    MidiPortInfo info;
    std::atomic<std::uint64_t> received{0}, dropped{0};

private:
    /// The port's thread: stamp, push, nothing else.
    static void receive(double delta_s, std::vector<unsigned char>* bytes, void* self) {
        auto& port = *static_cast<Port*>(self);
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        // Of every message: each distance counts from the one before.
        const std::int64_t arrival_ns = port.clock_.arrival_ns(
            delta_s, std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
        const MidiMessage message = channel_message(bytes->data(), bytes->size());
        if (message.size == 0) return;
        const CallbackGate::Pass pass(port.gate_);
        if (!pass) return;
        const bool fits = port.queue_.push({arrival_ns, message});
        (fits ? port.received : port.dropped).fetch_add(1, std::memory_order_relaxed);
    }

    MidiQueue& queue_;
    CallbackGate gate_;
    DeltaClock clock_;                  // the port's thread
    std::unique_ptr<RtMidiIn> client_;  // last: its thread is gone before the rest is
};

MidiInput::MidiInput(const std::string& name, MidiQueue& queue, MidiApis which)
    : open_(std::make_shared<Port>(queue)) {
    const QuietStderr quiet;
    if (returns_within(finding_patience, [port = open_, name, which] { port->open(name, which); })) return;
    open_->shut();
    fail_without_midi();
}

MidiInput::~MidiInput() {
    const QuietStderr quiet;
    open_->shut();
    free_within(closing_patience, std::move(open_));
}

const MidiPortInfo& MidiInput::port() const noexcept {
    return open_->info;
}
std::uint64_t MidiInput::received() const noexcept {
    return open_->received.load(std::memory_order_relaxed);
}
std::uint64_t MidiInput::dropped() const noexcept {
    return open_->dropped.load(std::memory_order_relaxed);
}

std::unique_ptr<MidiPort> open_midi_port(const std::string& name, int number, MidiQueue& queue,
                                         StreamMidi* stream) {
    if (!stream) return std::make_unique<MidiInput>(name, queue);
    if (name.starts_with(virtual_prefix)) return stream->open(number, name);
    const MidiPorts own = stream->ports(), others = rtmidi_ports_soon<RtMidiIn>(MidiApis::without_jack);
    const MidiPortInfo& chosen = choose_midi_port(own, others, name);
    const auto is_it = [&](const MidiPortInfo& port) { return &port == &chosen; };
    if (std::any_of(own.begin(), own.end(), is_it)) return stream->open(number, chosen.name);
    return std::make_unique<MidiInput>(chosen.name, queue, MidiApis::without_jack);
}

}  // namespace gainstage
