#pragma once
/// MIDI channel messages as they travel from a port or a file to the audio thread.

#include <array>
#include <cstdint>
#include <type_traits>

namespace gainstage {

/// One channel message, status byte first (0x80..0xEF). System messages (SysEx, clock, active sensing) never
/// become one: they are dropped at the door.
struct MidiMessage {
    std::uint8_t size = 0;  ///< 2 or 3 bytes are valid; 0: nothing
    std::array<std::uint8_t, 3> bytes{};
    bool operator==(const MidiMessage&) const = default;
};

/// A message and when it reached this machine: std::chrono::steady_clock, in nanoseconds.
struct StampedMidi {
    std::int64_t arrival_ns = 0;
    MidiMessage message;
};

static_assert(std::is_trivially_copyable_v<StampedMidi>, "it crosses threads in a lock-free queue");

/// The channel message in `bytes`; size 0 if they are none (system message, running status, cut off, a status
/// byte where data belongs). Any thread.
inline MidiMessage channel_message(const std::uint8_t* bytes, std::size_t count) noexcept {
    if (count < 2 || bytes[0] < 0x80 || bytes[0] >= 0xF0) return {};
    const int kind = bytes[0] & 0xF0;
    const std::uint8_t size = kind == 0xC0 || kind == 0xD0 ? 2 : 3;  // program change, channel pressure
    if (count != size) return {};
    MidiMessage message{.size = size, .bytes = {bytes[0], 0, 0}};
    for (std::size_t k = 1; k < size; ++k) {
        if (bytes[k] >= 0x80) return {};
        message.bytes[k] = bytes[k];
    }
    return message;
}

}  // namespace gainstage
