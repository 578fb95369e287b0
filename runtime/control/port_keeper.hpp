#pragma once
/// Opens and closes a MIDI port on a thread of its own: a server that hangs takes seconds.

#include <functional>
#include <memory>
#include <string>

#include "runtime/control/failure.hpp"
#include "runtime/control/inbox.hpp"
#include "runtime/control/worker.hpp"
#include "runtime/io/midi_port.hpp"
#include "runtime/realtime/midi_queue.hpp"

namespace gainstage {

/// All calls: control thread; none waits.
class PortKeeper {
public:
    /// Opens a port; the keeper's thread. Throws DeviceError.
    using Open = std::function<std::unique_ptr<MidiPort>(const std::string& name, MidiQueue&)>;

    PortKeeper(Open, Inbox&);
    /// Closes the port and waits for it.
    ~PortKeeper();

    /// The queue outlives the keeper. `done` is called on the control thread, through the inbox, with the
    /// reason why not; without a text: it is open.
    void open(const std::string& name, MidiQueue&, std::function<void(const Failure&)> done);

    /// The port's full name; empty: not open.
    std::string name() const { return shown_ ? shown_->port().name : std::string(); }
    /// Messages that went on to the audio thread, and those that found no room.
    std::uint64_t received() const noexcept { return shown_ ? shown_->received() : 0; }
    std::uint64_t dropped() const noexcept { return shown_ ? shown_->dropped() : 0; }

private:
    const Open open_;
    Inbox& inbox_;
    const MidiPort* shown_ = nullptr;  // control thread; null: not open
    std::unique_ptr<MidiPort> port_;   // the keeper's thread
    Worker worker_;                    // last: its jobs use all that is above
};

}  // namespace gainstage
