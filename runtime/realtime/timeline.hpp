#pragma once
/// The events to come, in the order of the stream.

#include <cstdint>
#include <vector>

#include "runtime/realtime/messages.hpp"

namespace gainstage {

/// Events by stamp; those with the same stamp in the order in which they came. Audio thread; the constructor
/// allocates all there is.
class Timeline {
public:
    static constexpr int max_events = 4096;
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    Timeline() { events_.reserve(max_events); }

    bool is_full() const noexcept GAINSTAGE_REALTIME { return events_.size() >= max_events; }
    /// False: full, the event is lost.
    bool add(const Event&) noexcept GAINSTAGE_REALTIME;
    /// The stamp of the next event; `never` where none is left.
    std::uint64_t next() const noexcept GAINSTAGE_REALTIME {
        return events_.empty() ? never : events_.back().stamp;
    }
    /// Takes the next event. REQUIRES: there is one.
    Event take() noexcept GAINSTAGE_REALTIME;

private:
    std::vector<Event> events_;  // the latest first; never beyond max_events
};

}  // namespace gainstage
