#pragma once
/// What the ports of our JACK client are connected to, and were. Only for the files of this folder that see
/// libjack.

#include <jack/jack.h>

#include <atomic>
#include <vector>

#include "runtime/io/port_connection.hpp"

namespace gainstage {

/// Remembers connections beyond the life of the programs at their other ends: what somebody has disconnected
/// is forgotten, what went with another program's port is made again when that port comes back. JACK only
/// tells that something has changed; whoever keeps the stream looks then, and before the server ends.
class JackConnections {
public:
    /// Of the JACK client's callbacks. JACK's thread.
    void note_change() noexcept { has_changed_.store(true, std::memory_order_relaxed); }
    /// True: since the last look something may have changed. Any thread.
    bool has_changed() const noexcept { return has_changed_.load(std::memory_order_relaxed); }

    // On threads that may wait for the server, one at a time.
    /// These are made as soon as both ports are there: by the next look, or a later one.
    void want(const PortConnections&);
    /// Asks about these ports of the client, and connects what is wanted.
    void look(jack_client_t*, const std::vector<jack_port_t*>& own);
    /// What is connected, and then what is wanted.
    PortConnections all() const;

private:
    PortConnections present_, wanted_;
    std::atomic<bool> has_changed_{true};
};

}  // namespace gainstage
