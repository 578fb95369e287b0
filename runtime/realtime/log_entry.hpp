#pragma once
/// What was applied to a stream, as the audio thread writes it down for the log.

#include <bit>
#include <cstdint>
#include <limits>

#include "runtime/realtime/messages.hpp"

namespace gainstage {

/// A stretch of the stream of which entries are missing.
struct LogHole {
    std::uint64_t from = 0, to = 0;  ///< stream samples of the first and the last entry that is missing
    std::uint64_t count = 0;         ///< 0: nothing is missing

    void add(std::uint64_t stamp) noexcept GAINSTAGE_REALTIME {
        if (count++ == 0) from = stamp;
        to = stamp;
    }
    void add(const LogHole& later) noexcept {
        if (count == 0) from = later.from;
        to = later.to;
        count += later.count;
    }
};

/// An event that was applied, or a hole in the entries. Compact, because ten seconds of a flood wait in a
/// queue. A value; any thread.
class LogEntry {
public:
    LogEntry() = default;
    /// `now`: the sample at which the event was applied. Of a knob, `param` is kept and `knob` is not; of a
    /// scene `param` alone.
    LogEntry(const Event& event, std::uint64_t now) noexcept
        : stamp_(now),
          kind_(static_cast<std::uint8_t>(event.kind)),
          port_(event.port),
          param_(static_cast<std::uint16_t>(event.param)),
          first_(event.kind == EventKind::midi    ? std::bit_cast<std::uint32_t>(event.midi)
                 : event.kind == EventKind::scene ? static_cast<std::uint32_t>(event.param)
                                                  : event.key),
          second_(std::bit_cast<std::uint32_t>(event.value)),
          third_(std::bit_cast<std::uint32_t>(event.smooth_ms)) {}
    /// Stands where the entries are missing. Counts no further than to 2^32 - 1.
    explicit LogEntry(const LogHole& hole) noexcept
        : stamp_(hole.to),
          kind_(hole_kind),
          first_(static_cast<std::uint32_t>(hole.count < most ? hole.count : most)),
          second_(static_cast<std::uint32_t>(hole.from)),
          third_(static_cast<std::uint32_t>(hole.from >> 32)) {}

    std::uint64_t stamp() const noexcept { return stamp_; }
    bool is_hole() const noexcept { return kind_ == hole_kind; }
    /// REQUIRES: is_hole().
    LogHole hole() const noexcept {
        return {.from = std::uint64_t{third_} << 32 | second_, .to = stamp_, .count = first_};
    }
    /// REQUIRES: no hole.
    Event event() const noexcept {
        Event event{.kind = static_cast<EventKind>(kind_),
                    .port = port_,
                    .value = std::bit_cast<float>(second_),
                    .smooth_ms = std::bit_cast<float>(third_),
                    .stamp = stamp_};
        if (event.kind == EventKind::scene) {
            event.param = static_cast<std::int32_t>(first_);
        } else if (event.kind == EventKind::midi) {
            event.midi = std::bit_cast<MidiMessage>(first_);
        } else {
            event.key = first_;
        }
        if (event.kind == EventKind::knob || event.kind == EventKind::master) event.param = param_;
        return event;
    }

private:
    static constexpr std::uint8_t hole_kind = 255;
    static constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();

    std::uint64_t stamp_ = 0;
    std::uint8_t kind_ = 0, port_ = 0;
    std::uint16_t param_ = 0;
    std::uint32_t first_ = 0;  // midi: the message; knob: the key; scene: its index; hole: how many
    std::uint32_t second_ = 0, third_ = 0;  // value and smooth_ms; hole: its first sample, low half first
};

static_assert(sizeof(LogEntry) <= 24, "a flood of them is kept in locked memory");
static_assert(sizeof(MidiMessage) == sizeof(std::uint32_t));

}  // namespace gainstage
