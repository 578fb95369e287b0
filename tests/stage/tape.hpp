#pragma once
/// A JACK client for the test: it plays sound and MIDI into a program and records its output.

#include <jack/jack.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/signals.hpp"

namespace gainstage::test {

/// A message at an exact frame of the tape.
struct TapeMidi {
    std::uint64_t at = 0;
    std::array<std::uint8_t, 3> bytes{};
};

/// Runs from start() on, and plays and records in the same cycles: in the server's time or, in freewheel, as
/// fast as the machine can.
class Tape {
public:
    /// Joins the server that JACK_DEFAULT_SERVER names. Throws if there is none.
    Tape(int plays, int records);
    ~Tape();
    Tape(const Tape&) = delete;
    Tape& operator=(const Tape&) = delete;

    /// Connects to the ports "PROGRAM:in_1" ... and from "PROGRAM:out_1" ..., as soon as they exist. Returns
    /// a few cycles later: JACK does not clear the ports of a new client, and before its first cycle they may
    /// hold anything.
    void connect(const std::string& program);
    /// Connects to a MIDI port as soon as it exists.
    void connect_midi(const std::string& port);

    /// Plays this from the next cycle on, then silence, and records `frames` in all.
    void start(const Sound&, int frames, std::vector<TapeMidi> = {});
    /// In freewheel each cycle waits for every client. Returns a few cycles after it begins.
    void freewheel(bool);
    /// Number of frames recorded so far.
    int frames() const { return static_cast<int>(position_.load(std::memory_order_acquire)); }
    /// Waits until `frames` are recorded. Throws if that takes too long.
    void wait_for(int frames) const;
    /// The sound recorded so far.
    Sound recorded() const;
    int xruns() const { return xruns_.load(); }
    /// Messages that found no room among those of their cycle. JACK keeps 32 kB for a port, which is some
    /// 2,700 of them.
    int unsent() const { return unsent_.load(); }

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
    std::atomic<int> cycles_{0}, xruns_{0}, unsent_{0};
};

}  // namespace gainstage::test
