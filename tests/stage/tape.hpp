#pragma once
/// A JACK client of the test's own: it plays sound and MIDI into a program and records what comes out of it.

#include <jack/jack.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/signals.hpp"

namespace gainstage::test {

/// A message at a frame of the tape, exactly.
struct TapeMidi {
    std::uint64_t at = 0;
    std::array<std::uint8_t, 3> bytes{};
};

/// Rolls from start() on, playing and recording in the same cycles, in the server's time or, in freewheel, as
/// fast as the machine can.
class Tape {
public:
    /// A client of the server that JACK_DEFAULT_SERVER names. Throws when there is none.
    Tape(int plays, int records);
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// To the ports "PROGRAM:inport 0" ... and from "PROGRAM:outport 0" ..., as soon as they are there.
    /// Returns a few cycles later: JACK does not clear the ports of a new client, and what they hold before
    /// its first cycle may be anything.
    void connect(const std::string& program);
    /// To a MIDI port, as soon as it is there.
    void connect_midi(const std::string& port);

    /// Plays this from the next cycle on, then silence, and records `frames` in all.
    void start(const Sound&, int frames, std::vector<TapeMidi> = {});
    void freewheel(bool);
    /// Frames that have been recorded.
    int frames() const { return static_cast<int>(position_.load(std::memory_order_acquire)); }
    /// Waits until there are so many; throws when that takes too long.
    void wait_for(int frames) const;
    /// What has been recorded so far.
    Sound recorded() const;
    int xruns() const { return xruns_.load(); }

private:
    int process(jack_nframes_t frames);
    void play_midi(jack_nframes_t frames);
    void wait_for_cycles(int count) const;
    void connect_ports(const std::string& from, const std::string& to);

    jack_client_t* client_ = nullptr;
    std::vector<jack_port_t*> out_, in_;
    jack_port_t* midi_ = nullptr;
    Sound to_play_, recorded_;
    std::vector<TapeMidi> midi_to_play_;
    std::size_t next_midi_ = 0;
    std::atomic<std::size_t> position_{0};
    std::atomic<bool> rolls_{false};
    std::atomic<int> cycles_{0}, xruns_{0};
};

}  // namespace gainstage::test
