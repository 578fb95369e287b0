#include "runtime/control/take_writer.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace gainstage {

using Kind = SessionReport::Kind;

namespace {

/// A replay needs it.
bool belongs_in_log(Kind kind) {
    return kind == Kind::event || kind == Kind::fade || kind == Kind::quarantine || kind == Kind::latched ||
           kind == Kind::stalled;
}

}  // namespace

TakeWriter::TakeWriter(Files files, Inbox& inbox, std::function<void(const std::string&)> trouble)
    : files_(std::move(files)), inbox_(inbox), trouble_(std::move(trouble)), worker_("gainstage-write") {}

// -------------------------------------------------------------------------------------------- control thread

void TakeWriter::open(std::function<void(const std::string&)> done) {
    worker_.run([this, done = std::move(done)] {
        std::string error;
        try {
            make_files();
        } catch (const std::exception& cause) {
            error = cause.what();
        }
        inbox_.bring([done, error] { done(error); });
    });
}

void TakeWriter::take(const SessionReport& report) {
    if (files_.log.empty() || !belongs_in_log(report.kind)) return;
    bool is_due = false;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() < files_.most) {
            waiting_.push_back(report);
            is_due = !std::exchange(log_due_, true);
        } else if (lost_++ == 0) {
            tell(
                fmt::format("{}: the disk is too slow, lines are missing from {:.2f} s on; the take can't "
                            "be repeated from here",
                            files_.log, report.seconds));
        }
    }
    if (is_due) worker_.run([this] { write_log(); });
}

void TakeWriter::drain() {
    if (!files_.tap) return;
    if (files_.tap->lost() > 0 && std::exchange(recording_is_whole_, false))
        tell(fmt::format("{}: the disk is too slow, a part of the recording is silence", files_.record));
    if (drain_due_.exchange(true)) return;
    worker_.run([this] {
        drain_due_ = false;
        record(&InputRecorder::drain);
    });
}

void TakeWriter::finish(std::function<void()> done) {
    worker_.run([this, done = std::move(done)] {
        end();
        inbox_.bring(done);
    });
}

// ------------------------------------------------------------------------------------------------ the thread

void TakeWriter::tell(std::string error) {
    inbox_.bring([this, error = std::move(error)] { trouble_(error); });
}

void TakeWriter::make_files() {
    if (!files_.log.empty()) log_ = std::make_unique<TakeLog>(files_.log, files_.rate_hz);
    if (!files_.record.empty())
        recorder_ = std::make_unique<InputRecorder>(files_.record, *files_.tap, files_.rate_hz);
}

void TakeWriter::write_log() {
    std::vector<SessionReport> reports;
    {
        const std::lock_guard lock(mutex_);
        reports.swap(waiting_);
        log_due_ = false;
    }
    if (!log_) return;
    for (const SessionReport& report : reports) log_->write(report);
    log_->flush();
    tell_of_log();
}

void TakeWriter::tell_of_log() {
    if (log_ && !log_->good() && std::exchange(log_is_good_, false))
        tell(fmt::format("{}: could not be written (is the disk full?); the take can't be repeated from here",
                         files_.log));
}

void TakeWriter::record(void (InputRecorder::*step)()) {
    if (!recorder_) return;
    try {
        (*recorder_.*step)();
    } catch (const WriteError& error) {
        tell(error.what());
    }
    recorded_ = recorder_->frames();
}

void TakeWriter::end() {
    write_log();
    if (log_) log_->finish();
    tell_of_log();
    record(&InputRecorder::finish);
}

}  // namespace gainstage
