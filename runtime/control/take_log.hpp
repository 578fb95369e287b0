#pragma once
/// Writes the log of a take, so that it can be played again bit for bit: see runtime/engine/take.hpp.

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "runtime/control/session_report.hpp"
#include "runtime/io/new_file.hpp"

namespace gainstage {

/// The writer's thread. The log grows as `take.unfinished.log`, and lines go there by flush(): a take that
/// ends badly can be replayed up to there. Lines that the disk has no room for are counted in the first line,
/// where there is room for that.
class TakeLog {
public:
    /// Without `may_replace` a file that has the name stays. Throws WriteError.
    TakeLog(const std::string& file, double rate_hz, bool may_replace = true);
    /// Without finish(): the log stays where it grew; one that tells nothing leaves nothing.
    ~TakeLog();
    TakeLog(const TakeLog&) = delete;
    TakeLog& operator=(const TakeLog&) = delete;

    /// Keeps what a replay needs; weight files are written at once, each content once.
    void write(const SessionReport&);
    /// Keeps by which the recording is known. The last thing that a log tells.
    void write(const TakeRecording&);
    void flush();
    /// All is on the disk and in its place when this returns. Returns where that is: another path than the
    /// one given only if somebody has moved the folder. Throws WriteError.
    std::string finish();
    /// Where the log grows; "": it is finished.
    std::string growing() const { return file_.growing(); }
    /// Bytes in the file.
    std::int64_t bytes() const noexcept { return written_; }
    /// False once a line or a weight file could not be written (a full disk), or
    /// once the log is deleted; the take goes on.
    bool good() const { return good_ && !is_deleted(); }
    /// Somebody has deleted it while it grows: no line of it can be kept.
    bool is_deleted() const noexcept { return file_.is_deleted(); }
    /// Lines that could not be written.
    std::uint64_t lost() const noexcept { return lost_.count; }

private:
    std::string head() const;
    void lose();
    void keep(const PlayedPatch::PlayedModel&);

    const std::string name_;
    const double rate_hz_;
    NewFile file_;
    LogHole waiting_;           // the reports in `lines_`
    LogHole lost_;              // those that could not be written
    std::string lines_;         // not yet in the file
    std::int64_t written_ = 0;  // bytes, whole lines
    bool tells_ = false;
    std::chrono::steady_clock::time_point on_disk_at_{};
    std::set<std::uint64_t> kept_;
    bool good_ = true;
};

}  // namespace gainstage
