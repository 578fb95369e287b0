#include "runtime/control/queued_sink.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace gainstage {

QueuedSink::QueuedSink(std::shared_ptr<Sink> behind, std::size_t most)
    : behind_(std::move(behind)), most_(most), worker_("gainstage-sink") {}

bool QueuedSink::replaces_waiting_status(const SessionReport& report) {
    if (report.kind != SessionReport::Kind::status) return false;
    const auto is_status = [](const SessionReport& other) {
        return other.kind == SessionReport::Kind::status;
    };
    if (std::none_of(waiting_.begin(), waiting_.end(), is_status)) return false;
    waiting_.push_back(report);
    waiting_.erase(std::find_if(waiting_.begin(), waiting_.end(), is_status));
    return true;
}

bool QueuedSink::has_room_for(SessionReport::Kind kind) const {
    switch (kind) {
        case SessionReport::Kind::summary:
            return true;
        case SessionReport::Kind::event:
            return waiting_.size() < most_;
        default:  // a flood of events must not keep out the news that it was too much for a queue
            return waiting_.size() < 2 * most_;
    }
}

void QueuedSink::take(const SessionReport& report) {
    const std::lock_guard lock(mutex_);
    try {
        keep(report);
    } catch (...) {
        ++lost_;
    }
}

/// Under the lock.
void QueuedSink::keep(const SessionReport& report) {
    if (failed_ || replaces_waiting_status(report)) return;
    if (!has_room_for(report.kind)) {
        ++lost_;
        return;
    }
    if (lost_ > lost_said_)
        waiting_.push_back({.kind = SessionReport::Kind::note,
                            .at = report.at,
                            .seconds = report.seconds,
                            .text = fmt::format("{} report(s) are missing here: they came faster than they "
                                                "could be shown",
                                                lost_ - std::exchange(lost_said_, lost_))});
    waiting_.push_back(report);
    if (at_work_) return;
    worker_.run([this] { hand_over(); });
    at_work_ = true;
}

void QueuedSink::hand_over() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty() && !failed_) {
        const SessionReport report = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        bool good = true;
        try {
            behind_->take(report);
        } catch (...) {
            good = false;  // what can't be told is lost, nothing else
        }
        lock.lock();
        failed_ = failed_ || !good;
    }
    waiting_.clear();
    at_work_ = false;
    empty_.notify_all();
}

bool QueuedSink::finish(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return empty_.wait_for(lock, limit, [this] { return !at_work_; });
}

std::uint64_t QueuedSink::lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
}

bool QueuedSink::has_failed() const {
    const std::lock_guard lock(mutex_);
    return failed_;
}

}  // namespace gainstage
