#pragma once
/// A desk of knobs for tests of MIDI maps, and mappings onto it.

#include <array>

#include "runtime/realtime/midi_map.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/realtime_guard.hpp"

namespace gainstage::test {

/// A desk of knobs, all in one node.
struct Desk final : MidiHost {
    std::array<float, 8> knobs{};
    int sets = 0, panics = 0;
    float smooth_ms = -1.f;

    float value(const GraphTarget& target) const noexcept override { return knobs[target.param]; }
    void set(const GraphTarget& target, float value, float smooth) noexcept override {
        knobs[target.param] = value;
        smooth_ms = smooth;
        ++sets;
    }
    void panic() noexcept override { ++panics; }
    void choose_scene(const GraphTarget& target, int program) noexcept override {
        chosen = {.kind = target.kind, .scene = target.param, .program = program};
        ++choices;
    }
    MorphStand morph_stand(const GraphTarget&) const noexcept override { return stand; }
    void morph(const GraphTarget&, float position, float smooth) noexcept override {
        stand = {.is_held = true, .position = position};
        smooth_ms = smooth;
        ++morphs;
    }

    struct Chosen {
        TargetKind kind = TargetKind::parameter;
        int scene = -1, program = -1;
    } chosen{};
    int choices = 0, morphs = 0;
    MorphStand stand{};
};

/// cc 21 on channel 1 to a knob of 0..100, absolute, jump. Tests change only what matters to them.
inline GraphMidi knob_mapping() {
    GraphMidi midi;
    midi.entry.channel = 1;
    midi.entry.source = MidiSource::cc;
    midi.entry.number = 21;
    midi.entry.target = "amp.knob";
    midi.entry.takeover = MidiTakeover::jump;
    midi.target = {.kind = TargetKind::parameter, .node = 0, .param = 0, .min = 0.f, .max = 100.f};
    return midi;
}

inline GraphMidi with_mode(MidiMode mode) {
    GraphMidi midi = knob_mapping();
    midi.entry.mode = mode;
    return midi;
}

inline GraphMidi with_takeover(MidiTakeover takeover) {
    GraphMidi midi = knob_mapping();
    midi.entry.takeover = takeover;
    return midi;
}

inline GraphMidi with_range(GraphMidi midi, double min, double max) {
    midi.entry.has_range = true;
    midi.entry.min = min;
    midi.entry.max = max;
    return midi;
}

inline GraphMidi with_source(GraphMidi midi, MidiSource source, int number) {
    midi.entry.source = source;
    midi.entry.number = number;
    return midi;
}

inline GraphMidi switch_mapping(MidiMode mode) {
    GraphMidi midi = with_mode(mode);
    midi.entry.target = "amp.bypass";
    midi.target = {.kind = TargetKind::bypass, .node = 0, .param = 0, .min = 0.f, .max = 1.f};
    return midi;
}

/// A MIDI map, a desk, and functions that send messages.
struct Stage {
    explicit Stage(const std::vector<GraphMidi>& table) : map(table) {}

    void send(int status, int first, int second) {
        const MidiMessage message{3,
                                  {static_cast<std::uint8_t>(status), static_cast<std::uint8_t>(first),
                                   static_cast<std::uint8_t>(second)}};
        const test::RealtimeScope scope;
        map.receive(decoder.decode(message), desk);
    }
    /// Takes the place of another table on the same desk.
    void adopt(const Stage& old) {
        decoder = old.decoder;
        map.adopt(old.map);
    }
    void cc(int value, int number = 21, int channel = 1) { send(0xB0 + channel - 1, number, value); }
    float knob(int index = 0) const { return desk.knobs[index]; }

    MidiDecoder decoder;
    MidiMap map;
    Desk desk;
};

}  // namespace gainstage::test
