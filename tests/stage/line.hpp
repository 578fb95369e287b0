#pragma once
/// A source and a sink in two JACK clients. The way through a program is then no circle, to which JACK would
/// add a period.

#include <jack/jack.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/stage/tape.hpp"
#include "tests/support/signals.hpp"

namespace gainstage::test {

/// Sends one channel, and MIDI, and records one channel in the same cycles.
class Line {
public:
    /// Joins the server that JACK_DEFAULT_SERVER names. Throws if there is none.
    Line();
    ~Line();
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    /// Connects source and sink to these ports as soon as they exist; returns a few cycles later.
    void connect(const std::string& in, const std::string& out);
    /// Connects the source's MIDI.
    void connect_midi(const std::string& port);
    void freewheel(bool) const;

    /// Sends this from the next cycle on, then silence, and records `frames` in all.
    void start(Channel sound, int frames, std::vector<TapeMidi> midi = {});
    int frames() const { return static_cast<int>(recorded_until_.load(std::memory_order_acquire)); }
    /// Waits until `frames` are recorded. Throws if that takes too long.
    void wait_for(int frames) const;
    /// recorded()[k] was heard at the instant at which frame k was sent.
    Channel recorded() const;
    /// Cycles that the server lost, or in which a client was missing.
    int lost() const { return xruns_.load() + gaps_.load(); }
    jack_client_t* source() const { return source_; }

private:
    int send(jack_nframes_t frames);
    int record(jack_nframes_t frames);
    void send_midi(std::size_t at, jack_nframes_t frames);
    void wait_for_cycles(int count) const;

    jack_client_t *source_ = nullptr, *sink_ = nullptr;
    jack_port_t *out_ = nullptr, *midi_ = nullptr, *in_ = nullptr;
    Channel sound_, recorded_;
    std::vector<TapeMidi> midi_to_send_;
    std::size_t next_midi_ = 0;
    static constexpr std::size_t before_start = ~std::size_t{0};
    std::size_t sent_ = 0;  // the source's thread
    // The source comes first in every cycle.
    std::atomic<std::size_t> cycle_begin_{before_start}, recorded_until_{0};
    std::atomic<bool> rolls_{false};
    std::atomic<int> cycles_{0}, xruns_{0}, gaps_{0};
};

}  // namespace gainstage::test
