#pragma once
/// The busiest input of which nothing may be lost, and how long the queues must be for it.

#include <cstddef>
#include <cstdint>

namespace gainstage {

/// Controllers that send 10,000 messages a second, each to two targets, while nobody takes anything out of a
/// queue for ten seconds.
struct Flood {
    static constexpr int messages_per_second = 10'000, targets = 2, seconds = 10;
    static constexpr int messages = messages_per_second * seconds, moves = messages * targets;
};

/// How many entries each queue of a room holds. The defaults are for streams whose control thread turns after
/// every block.
struct QueueSizes {
    int midi = 4'096;     ///< messages of one port that wait for the audio thread
    int due = 4'096;      ///< events that wait for their sample
    int moves = 16'383;   ///< the latest moves of knobs
    int log = 16'384;     ///< what was applied, for the log and the display
    int reports = 1'024;  ///< for people

    /// A stage: all of the flood, and an eighth more. Without a log only a display reads what was applied,
    /// and it may miss something.
    static constexpr QueueSizes for_stage(bool has_log) {
        constexpr int messages = Flood::messages / 8 * 9, moves = Flood::moves / 8 * 9;
        return {.midi = messages, .due = messages, .moves = moves, .log = has_log ? messages : 4'096};
    }
};

/// The memory of a room's queues.
struct QueueBytes {
    std::size_t midi = 0;  ///< of all ports
    std::size_t due = 0, moves = 0, log = 0, reports = 0;

    std::size_t all() const noexcept { return midi + due + moves + log + reports; }
};

}  // namespace gainstage
