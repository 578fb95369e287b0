#include "runtime/control/take_writer.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "runtime/file_names.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/plan/memory_use.hpp"

namespace gainstage {

using Kind = SessionReport::Kind;

namespace {

/// A replay needs it, or people who read the log. A scene that a MIDI message chose follows from that
/// message.
bool belongs_in_log(const SessionReport& report) {
    const Kind kind = report.kind;
    if (kind == Kind::event && report.event.kind == EventKind::scene) return !report.event.by_midi;
    return kind == Kind::event || kind == Kind::fade || kind == Kind::quarantine || kind == Kind::latched ||
           kind == Kind::stalled || kind == Kind::lost;
}

}  // namespace

TakeWriter::TakeWriter(Files files, Inbox& inbox, Listener listener)
    : files_(std::move(files)),
      inbox_(inbox),
      listener_(std::move(listener)),
      log_name_(files_.log),
      record_name_(files_.record),
      large_log_(files_.large_log),
      worker_("gainstage-write") {}

// ------------------------ control thread

void TakeWriter::open(std::function<void(const Failure&)> done) {
    worker_.run([this, done = std::move(done)]() mutable {
        Failure failure = failure_of(sysexits::cannot_write, [this] { make_files(); });
        inbox_.bring([done = std::move(done), failure = std::move(failure)] { done(failure); });
    });
}

bool TakeWriter::is_behind() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() > files_.most / 2;
}

void TakeWriter::take(const SessionReport& report) {
    if (files_.log.empty() || !belongs_in_log(report)) return;
    bool is_due = false;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() < files_.most && hole_.count == 0) {
            keep(report);
        } else {
            hole_.add(report.at);
            if (lost_++ == 0)
                tell(fmt::format(
                    "{}: the disk is too slow, lines are missing from {:.2f} s on; the take can't "
                    "be repeated from here",
                    log_name_, report.seconds));
        }
        is_due = !std::exchange(log_due_, true);
    }
    if (!is_due) return;
    try {
        worker_.run([this] { attempt([this] { write_log(); }); });
    } catch (...) {  // the next report asks again
        const std::lock_guard lock(mutex_);
        log_due_ = false;
        throw;
    }
}

/// A line for which there is no memory is missing in the log, which says so.
void TakeWriter::keep(const SessionReport& report) {
    try {
        waiting_.push_back(report);
    } catch (...) {
        hole_.add(report.at);
        ++lost_;
        throw;
    }
}

void TakeWriter::drain() {
    if (!files_.tap && std::chrono::steady_clock::now() < look_at_log_at_) return;
    look_at_log_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    if (files_.tap && files_.tap->lost() > 0 && std::exchange(recording_is_whole_, false))
        tell(fmt::format(
            "{}: the disk is too slow, a part of the recording is silence; record to a faster one",
            record_name_));
    if (drain_due_.exchange(true)) return;
    try {
        worker_.run([this] {
            drain_due_ = false;
            record();
            patiently([this] { tell_of_log(); });
        });
    } catch (...) {  // the next turn asks again
        drain_due_ = false;
        throw;
    }
}

void TakeWriter::finish(std::function<void()> done) {
    worker_.run([this, done = std::move(done)] {
        end();
        inbox_.bring(done);
    });
}

void TakeWriter::discard(std::function<void()> done) {
    worker_.run([this, done = std::move(done)] {
        log_.reset();
        recorder_.reset();
        inbox_.bring(done);
    });
}

// ------------------------ the thread

void TakeWriter::tell(std::string trouble) {
    inbox_.bring([this, trouble = std::move(trouble)] { listener_.trouble(trouble); });
}

void TakeWriter::note(std::string text) {
    inbox_.bring([this, text = std::move(text)] { listener_.note(text); });
}

void TakeWriter::attempt(const std::function<void()>& step) {
    // No room on the disk, or none in memory.
    if (const Failure failure = failure_of(sysexits::cannot_write, step))
        patiently([&] { tell(failure.text); });
}

/// Log and recording belong together, so they have one number. False: the names are those that were asked
/// for.
bool TakeWriter::choose_names() {
    const int number = files_.overwrite ? 1 : first_free_number({files_.log, files_.record});
    if (number == 1) return false;
    const auto numbered = [&](const std::string& file) {
        return file.empty() ? file : numbered_name(file, number);
    };
    log_name_ = numbered(files_.log);
    record_name_ = numbered(files_.record);
    return true;
}

void TakeWriter::tell_of_names() {
    note(fmt::format(
        "an earlier take has this name and stays as it is (--overwrite replaces it); this one is {}{}{}",
        record_name_, record_name_.empty() || log_name_.empty() ? "" : " and ", log_name_));
}

void TakeWriter::tell_of_unfinished() {
    for (const std::string& file : {files_.log, files_.record}) {
        if (file.empty()) continue;
        for (const std::string& found : unfinished_files(file))
            note(fmt::format(
                "{}: an earlier take that was never finished lies here; `render` can play it. Give "
                "it a name of its own, or delete it",
                found));
    }
}

void TakeWriter::make_files() {
    std::vector<std::string> outputs;
    for (const std::string& file : {files_.log, files_.record})
        if (!file.empty()) outputs.push_back(file);
    must_differ(outputs, files_.inputs);
    tell_of_unfinished();
    for (std::string& text : notes_on_loose_folders(outputs)) note(std::move(text));
    const bool is_numbered = choose_names();
    if (!log_name_.empty()) log_ = std::make_unique<TakeLog>(log_name_, files_.rate_hz, files_.overwrite);
    if (!record_name_.empty())
        recorder_ =
            std::make_unique<InputRecorder>(record_name_, *files_.tap, files_.rate_hz, files_.overwrite);
    note_growing();
    if (is_numbered) tell_of_names();
}

void TakeWriter::note_growing() {
    std::vector<std::string> names;
    for (const std::string& name :
         {log_ ? log_->growing() : std::string(), recorder_ ? recorder_->growing() : std::string()})
        if (!name.empty()) names.push_back(name);
    const std::lock_guard lock(mutex_);
    growing_ = std::move(names);
}

std::vector<std::string> TakeWriter::growing() const {
    const std::lock_guard lock(mutex_);
    return growing_;
}

void TakeWriter::write_log() {
    std::vector<SessionReport> reports;
    LogHole hole;  // after them: until now the queue was full
    {
        const std::lock_guard lock(mutex_);
        reports.swap(waiting_);
        hole = std::exchange(hole_, {});
        log_due_ = false;
    }
    if (!log_) return;
    std::size_t written = 0;
    try {
        for (; written < reports.size(); ++written) log_->write(reports[written]);
        if (hole.count > 0)
            log_->write(report_of(
                Loss{.kind = Loss::Kind::lines, .from = hole.from, .to = hole.to, .count = hole.count},
                hole.to, files_.rate_hz));
    } catch (...) {  // no memory for a line: it and those behind it are missing
        const std::lock_guard lock(mutex_);
        LogHole missing;
        for (; written < reports.size(); ++written) missing.add(reports[written].at);
        if (hole.count > 0) missing.add(hole);
        if (hole_.count > 0) missing.add(hole_);
        hole_ = missing;
        throw;
    }
    log_->flush();
    unwritten_ = log_->lost();
    tell_of_log();
    tell_of_large_log();
}

/// A flood of ten thousand messages a second makes two gigabytes an hour. All of them moved something, so
/// none may be left out.
void TakeWriter::tell_of_large_log() {
    if (log_->bytes() < large_log_) return;
    while (large_log_ <= log_->bytes()) large_log_ *= 2;
    std::error_code error;
    const auto disk = std::filesystem::space(log_->growing(), error);
    note(fmt::format(
        "{}: has grown to {}{}; a controller that sends without end may be the cause", log_name_,
        memory_text(static_cast<std::size_t>(log_->bytes())),
        error ? std::string() : fmt::format(", and its disk has room for {}", memory_text(disk.available))));
}

void TakeWriter::tell_of_log() {
    if (!log_ || log_->good() || !log_is_good_) return;
    tell(log_->is_deleted()
             ? log_name_ + deleted_while_it_grew
             : fmt::format(
                   "{}: could not be written (is the disk full?); the take can't be repeated from here",
                   log_name_));
    log_is_good_ = false;
}

void TakeWriter::record() {
    if (!recorder_) return;
    attempt([this] { recorder_->drain(); });
    recorded_ = recorder_->frames();
}

void TakeWriter::end() {
    // True: the file is whole.
    const auto finish = [this](auto& file, const std::string& name) {
        bool is_whole = false;
        if (!file) return is_whole;
        attempt([&] {
            const std::string place = file->finish();
            is_whole = true;
            if (place != name) note(fmt::format("{}: its folder was moved; the file is now {}", name, place));
        });
        patiently([this] { note_growing(); });
        return is_whole;
    };
    attempt([this] { write_log(); });  // it is on its way to the disk before the recording is
    if (recorder_) attempt([this] { recorder_->drain_rest(); });
    const auto recording = recorder_ ? recorder_->recording() : std::nullopt;
    if (finish(recorder_, record_name_) && recording && log_) attempt([&] { log_->write(*recording); });
    if (recorder_) recorded_ = recorder_->frames();
    finish(log_, log_name_);
    patiently([this] { tell_of_log(); });
}

}  // namespace gainstage
