#pragma once
/// A wheel of 16,384 steps that sets the gain of the node "trim" at once: the sound shows which message came
/// last, and at which sample.

#include <cstdint>
#include <string>

#include "tests/stage/tape.hpp"

namespace gainstage::test {

inline const std::string wheel =
    "[[midi]]\nchannel = 3\npitchbend = true\ntarget = \"trim.gain_db\"\nmin = -40.0\nmax = 0.0\n"
    "takeover = \"jump\"\nsmooth_ms = 0.0\n";

inline TapeMidi bend(int at, int value) {
    return {.at = static_cast<std::uint64_t>(at),
            .bytes = {0xe2, static_cast<std::uint8_t>(value & 0x7f), static_cast<std::uint8_t>(value >> 7)}};
}

/// The wheel rests at 8192, exactly in the middle.
inline double position(int value) {
    return value <= 8'192 ? value / 16'384. : 0.5 + (value - 8'192) / 16'382.;
}

}  // namespace gainstage::test
