#pragma once
/// A sink on a thread of its own: nobody waits for it.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "runtime/control/sink.hpp"
#include "runtime/control/worker.hpp"

namespace gainstage {

/// Keeps reports until the sink behind takes them. A newer status replaces one that waits. Once `most`
/// reports wait, further events are lost and counted, and once twice as many wait, all other news but the
/// summary; a note tells the sink as soon as there is room. A sink that throws is not called again; nothing
/// else changes.
class QueuedSink final : public Sink {
public:
    static constexpr std::size_t default_most = 4096;

    explicit QueuedSink(std::shared_ptr<Sink> behind, std::size_t most = default_most);
    /// Waits for the sink; call finish() first where it may hang.
    ~QueuedSink() override = default;

    /// Any thread; never waits and never throws: without memory the report is lost and counted.
    void take(const SessionReport&) override;
    /// Waits until the sink has taken everything. False: not within `limit`, and it may hang in its device.
    bool finish(std::chrono::milliseconds limit);

    /// Reports that were not shown.
    std::uint64_t lost() const;
    /// The sink has thrown.
    bool has_failed() const;

private:
    void keep(const SessionReport&);
    bool replaces_waiting_status(const SessionReport&);
    bool has_room_for(SessionReport::Kind) const;
    void hand_over();

    const std::shared_ptr<Sink> behind_;
    const std::size_t most_;
    mutable std::mutex mutex_;
    std::condition_variable empty_;
    std::deque<SessionReport> waiting_;
    std::uint64_t lost_ = 0, lost_said_ = 0;
    bool at_work_ = false, failed_ = false;
    Worker worker_;  // last: its jobs use all that is above
};

}  // namespace gainstage
