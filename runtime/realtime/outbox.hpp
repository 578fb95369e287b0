#pragma once
/// What the audio thread tells the control thread.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

#include "runtime/realtime/messages.hpp"
#include "runtime/realtime/touch.hpp"

namespace gainstage {

/// Reports are for the log, the display and the past of knobs; a full queue drops them and counts. What the
/// engine must act on is state that it looks at (Slot::tripped_at, Tasks::given_up, Transition::stage,
/// Master::silent_at). The bell tells when one of these has changed.
class Outbox {
public:
    Outbox() { touch(reports_, Report{}); }

    // audio thread
    void tell(const Report& report) noexcept GAINSTAGE_REALTIME {
        if (!reports_.push(report)) lost_.fetch_add(1, std::memory_order_relaxed);
    }
    /// After a change of state, before any report of a later sample.
    void ring() noexcept GAINSTAGE_REALTIME { rings_.fetch_add(1, std::memory_order_release); }

    // control thread
    bool next(Report& report) { return reports_.pop(report); }

    // any thread
    /// How often the bell has rung. Changes of state before that many rings are seen from here on.
    std::uint64_t rings() const noexcept { return rings_.load(std::memory_order_acquire); }
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    boost::lockfree::spsc_queue<Report, boost::lockfree::capacity<16384>> reports_;
    std::atomic<std::uint64_t> rings_{0}, lost_{0};
};

}  // namespace gainstage
