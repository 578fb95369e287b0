#pragma once
/// Standard MIDI files (.mid), for controller moves in an offline render.
/// Source: Standard MIDI Files 1.0 (RP-001), RIFF MIDI (RP-029). Formats 0 and 1, and format 2 with a single
/// track; time in quarter notes with a tempo map, or in SMPTE frames.

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

/// A channel message and when it is played, in seconds from the beginning of the file.
struct TimedMidi {
    double seconds = 0.;
    MidiMessage message;
};

/// Says which file, at which byte, what is wrong with it and what to do.
struct MidiFileError : std::runtime_error {
    MidiFileError(const std::string& message, int code) : std::runtime_error(message), exit_code(code) {}
    int exit_code;  ///< of sysexits
};

struct MidiFile {
    /// Of all tracks in the order of their times; those of one time in the order of tracks, then as they
    /// stand in the track.
    std::vector<TimedMidi> messages;
    std::vector<std::string> notes;  ///< what is wrong with the file and did no harm, one sentence each
};

/// Reads all tracks up to the end of the file, whatever number of them its header has. Reads RIFF MIDI (.rmi)
/// too. Throws MidiFileError. Any thread but the audio thread.
MidiFile read_midi_file(const std::string& path);

/// The same from memory; `name` is for messages. Trusts no length in it.
MidiFile parse_midi_file(std::span<const std::uint8_t> bytes, const std::string& name);

}  // namespace gainstage
