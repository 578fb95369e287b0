#pragma once
/// What the audio thread tells the control thread.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>

#include "runtime/realtime/flood.hpp"
#include "runtime/realtime/log_entry.hpp"
#include "runtime/realtime/touch.hpp"

namespace gainstage {

/// Two queues: entries for the log, and reports for people. A full queue drops and counts. Where entries are
/// missing, an entry says so in their place. What the engine must act on is in neither: it is state that it
/// looks at (Slot::tripped_at, Tasks::given_up, Transition::stage, Master::silent_at, KnobTrail). The bell
/// tells when one of the first four has changed.
class Outbox {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// Control thread; touches all memory. A queue of none drops everything.
    Outbox(int entries, int reports)
        : entry_count_(static_cast<std::size_t>(entries)),
          report_count_(static_cast<std::size_t>(reports)),
          entries_(entry_count_),
          reports_(report_count_) {
        if (entries > 0) touch(entries_, LogEntry{});
        if (reports > 0) touch(reports_, Report{});
    }

    // audio thread
    /// False: half of the entries' queue is full.
    bool has_room() const noexcept GAINSTAGE_REALTIME {
        return entries_.write_available() >= entry_count_ / 2;
    }
    /// Something was applied.
    void log(const LogEntry& entry) noexcept GAINSTAGE_REALTIME {
        if (hole_.count > 0 || !entries_.push(entry)) log_after_loss(entry);
    }
    void tell(const Report& report) noexcept GAINSTAGE_REALTIME {
        if (!reports_.push(report)) reports_lost_.fetch_add(1, std::memory_order_relaxed);
    }
    /// After every block: what is missing is told as soon as there is room.
    void settle() noexcept GAINSTAGE_REALTIME {
        if (hole_.count > 0 && entries_.push(LogEntry(hole_))) hole_ = {};
    }
    /// After a change of state, before anything of a later sample is told.
    void ring() noexcept GAINSTAGE_REALTIME { rings_.fetch_add(1, std::memory_order_release); }

    // control thread
    /// The sample of the next entry; `never` where none has come.
    std::uint64_t next_entry() const { return entries_.read_available() ? entries_.front().stamp() : never; }
    std::uint64_t next_report() const { return reports_.read_available() ? reports_.front().stamp : never; }
    /// False: none has come.
    bool take(LogEntry& entry) { return entries_.pop(entry); }
    bool take(Report& report) { return reports_.pop(report); }
    /// When the stream has stopped: what is missing at its very end, and was not told.
    LogHole hole_at_the_end() const noexcept { return hole_; }

    // any thread
    /// How often the bell has rung. Changes of state before that many rings are seen from here on.
    std::uint64_t rings() const noexcept { return rings_.load(std::memory_order_acquire); }
    std::uint64_t entries_lost() const noexcept { return entries_lost_.load(std::memory_order_relaxed); }
    std::uint64_t reports_lost() const noexcept { return reports_lost_.load(std::memory_order_relaxed); }
    std::size_t entry_bytes() const noexcept { return entry_count_ * sizeof(LogEntry); }
    std::size_t report_bytes() const noexcept { return report_count_ * sizeof(Report); }

private:
    /// The hole comes before what follows it.
    void log_after_loss(const LogEntry& entry) noexcept GAINSTAGE_REALTIME {
        settle();
        if (hole_.count == 0 && entries_.push(entry)) return;
        hole_.add(entry.stamp());
        entries_lost_.fetch_add(1, std::memory_order_relaxed);
    }

    const std::size_t entry_count_, report_count_;
    boost::lockfree::spsc_queue<LogEntry> entries_;
    boost::lockfree::spsc_queue<Report> reports_;
    std::atomic<std::uint64_t> rings_{0}, entries_lost_{0}, reports_lost_{0};
    LogHole hole_;  // audio thread: missing after the latest entry
};

}  // namespace gainstage
