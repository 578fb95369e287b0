#pragma once
/// What a session is asked to play, and how.

#include <chrono>
#include <string>
#include <vector>

#include "runtime/io/choose_device.hpp"

namespace gainstage {

struct LiveConfig {
    std::string patch;
    AudioRequest audio;             ///< channels are taken from the patch
    bool null_device = false;       ///< a clock in place of hardware
    std::vector<std::string> midi;  ///< names of ports, see MidiInput
    double seconds = 0.;            ///< end by itself; 0: play on
    std::string log;                ///< file for the take's log; empty: none
    std::string record;             ///< sound file for the input; empty: none
    bool overwrite = false;         ///< an earlier take's log and recording; else this take's get a number
    int threads = 1;                ///< that play branches of the patch beside each other
    std::size_t most_bytes = 0;     ///< memory that a patch may take; 0: half of the machine's
    bool rehearse = false;          ///< watch the patch and its models
    bool start_muted = false;       ///< silent until somebody sets master.mute to 0
    std::chrono::milliseconds status_every{1'000};
};

}  // namespace gainstage
