#pragma once
/// Writes a take's files, the log and the recording, on a thread of its own.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/control/failure.hpp"
#include "runtime/control/inbox.hpp"
#include "runtime/control/input_recorder.hpp"
#include "runtime/control/sink.hpp"
#include "runtime/control/take_log.hpp"
#include "runtime/control/worker.hpp"

namespace gainstage {

/// A disk that hangs holds up nobody but this thread. Meanwhile reports for the log wait in a bounded queue
/// and the input in the tap's ring; what finds no room there is lost and counted, and the log has a line that
/// says so in its place. Nothing of an earlier take
/// is touched before this one is whole: files that have the names stay, and log and recording get the same
/// number
/// ("take-2.wav"), unless `overwrite` says otherwise. All calls: control thread; none waits.
class TakeWriter final : public Sink {
public:
    /// Reports that may wait for the log: ten seconds of 10,000 messages a second, two targets each.
    static constexpr std::size_t default_most = 200'000;

    struct Files {
        std::string log = {};     ///< empty: none
        std::string record = {};  ///< empty: none
        InputTap* tap = nullptr;  ///< of the recording; outlives this
        int rate_hz = 48'000;
        std::size_t most = default_most;
        std::int64_t large_log = 1'000'000'000;  ///< bytes at which, and at each doubling, its size is told
        bool overwrite = false;                  ///< files that have the names are replaced, at the end
        std::vector<std::string> inputs = {};    ///< that must not be written to: the patch and its models
    };
    /// What it has to tell, on the control thread.
    struct Listener {
        std::function<void(const std::string&)>
            trouble;  ///< what can't be written any more: each file's once
        std::function<void(const std::string&)> note = [](const std::string&) {};  ///< names, earlier takes
    };
    TakeWriter(Files, Inbox&, Listener);
    ~TakeWriter() override = default;  ///< waits for the thread

    /// Makes the files, then calls `done` on the control thread with the reason why not, if there is one.
    void open(std::function<void(const Failure&)> done);
    /// For the log.
    void take(const SessionReport&) override;
    /// Writes the input that has come, and sees whether the files are still there. Several times a second.
    void drain();
    /// Writes all that waits; the files are complete when `done` is called. The stream must be over.
    void finish(std::function<void()> done);
    /// Instead of finish(), where nothing has been played: leaves no files.
    void discard(std::function<void()> done);

    /// More waits for the log than half of what may wait.
    bool is_behind() const;
    /// Lines that are missing in the log.
    std::uint64_t lost() const noexcept { return lost_ + unwritten_.load(std::memory_order_relaxed); }
    /// The names under which log and recording grow; none: they are finished. Any thread.
    std::vector<std::string> growing() const;
    /// Frames of input in the recording.
    std::uint64_t recorded() const noexcept { return recorded_.load(std::memory_order_relaxed); }
    /// The thread.
    Worker& worker() noexcept { return worker_; }

private:
    bool choose_names();
    void tell_of_names();
    void tell_of_unfinished();
    void note_growing();
    void make_files();
    void keep(const SessionReport&);
    void write_log();
    void tell_of_log();
    void tell_of_large_log();
    void record();
    void end();
    void attempt(const std::function<void()>& step);
    void tell(std::string trouble);
    void note(std::string text);

    const Files files_;
    Inbox& inbox_;
    const Listener listener_;

    // control thread
    std::uint64_t lost_ = 0;
    bool recording_is_whole_ = true;
    std::chrono::steady_clock::time_point look_at_log_at_{};  // one without lines may be deleted, too

    mutable std::mutex mutex_;  // of the queue and the names
    std::vector<SessionReport> waiting_;
    std::vector<std::string> growing_;
    LogHole hole_;          // what came after them and found no room
    bool log_due_ = false;  // a job is going to look at the queue
    std::atomic<bool> drain_due_{false};

    // the thread
    std::string log_name_, record_name_;  // with their number
    std::unique_ptr<TakeLog> log_;
    std::unique_ptr<InputRecorder> recorder_;
    bool log_is_good_ = true;
    std::int64_t large_log_;  // the size that is told next
    std::atomic<std::uint64_t> recorded_{0}, unwritten_{0};

    Worker worker_;  // last: its jobs use all that is above
};

}  // namespace gainstage
