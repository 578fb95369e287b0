#pragma once
/// What a take lacks, and where.

#include <cstdint>
#include <string>

namespace gainstage {

/// Something that a full queue dropped, or that could not be written. A take with such a hole is not repeated
/// by its log.
struct Loss {
    enum class Kind : std::uint8_t {
        lines,   ///< of the log
        midi,    ///< messages that no port's queue had room for: they never happened
        events,  ///< events that the timeline had no room for: they never happened
        moves,   ///< moves of knobs that newcomers were not warmed on
        frames,  ///< of the recorded input; silence stands there
    };
    static constexpr Kind kinds[] = {Kind::lines, Kind::midi, Kind::events, Kind::moves, Kind::frames};

    Kind kind = Kind::lines;
    std::uint64_t from = 0, to = 0;  ///< stream samples between which all of it lies
    std::uint64_t count = 0;

    friend bool operator==(const Loss&, const Loss&) = default;
};

/// The key in a log: "lines", "midi" ...
const char* word_of(Loss::Kind) noexcept;
/// "12343 line(s) of the log are missing, from 3.20 s to 9.81 s".
std::string text_of(const Loss&, double rate_hz);

}  // namespace gainstage
