#pragma once
/// The events to come, in the order of the stream.

#include <cstdint>

#include "runtime/realtime/flood.hpp"
#include "runtime/realtime/large_array.hpp"
#include "runtime/realtime/messages.hpp"

namespace gainstage {

/// Events by stamp; those with the same stamp in the order in which they came. A heap: an event among n costs
/// log n steps to add and to take. Audio thread; the constructor allocates all there is, and touches it.
class Timeline {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    explicit Timeline(int most = QueueSizes().due) : most_(most), events_(static_cast<std::size_t>(most)) {}

    bool is_full() const noexcept GAINSTAGE_REALTIME { return count_ == most_; }
    /// False: full, the event is lost.
    bool add(const Event&) noexcept GAINSTAGE_REALTIME;
    /// The stamp of the next event; `never` where none is left.
    std::uint64_t next() const noexcept GAINSTAGE_REALTIME {
        return count_ == 0 ? never : events_.data()->event.stamp;
    }
    /// Takes the next event. REQUIRES: there is one.
    Event take() noexcept GAINSTAGE_REALTIME;

    std::size_t bytes() const noexcept { return static_cast<std::size_t>(most_) * sizeof(Waiting); }

private:
    struct Waiting {
        Event event;
        std::uint64_t number = 0;  // of all that were ever added
    };
    struct IsLater {
        bool operator()(const Waiting&, const Waiting&) const noexcept GAINSTAGE_REALTIME;
    };

    const int most_;
    const LargeArray<Waiting> events_;
    int count_ = 0;
    std::uint64_t added_ = 0;
};

}  // namespace gainstage
