#include "runtime/control/take_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/engine/take.hpp"

namespace gainstage {

namespace {
constexpr std::chrono::seconds disk_every{1};
constexpr std::size_t head_bytes = 200;
}  // namespace

TakeLog::TakeLog(const std::string& file, double rate_hz, bool may_replace)
    : name_(file),
      rate_hz_(rate_hz),
      file_(file, {.growth = FileManner::Growth::visible, .may_replace = may_replace}),
      lines_(head()) {
    flush();
}

TakeLog::~TakeLog() {
    if (!tells_) file_.discard();
}

/// Blanks follow it: a full disk has no room for more lines, but these bytes can be written again.
std::string TakeLog::head() const {
    std::string line = log_head(
        rate_hz_, {.kind = Loss::Kind::lines, .from = lost_.from, .to = lost_.to, .count = lost_.count});
    line.resize(std::max(line.size(), head_bytes), ' ');
    return line + '\n';
}

/// Named by its content: another take's file of this name is the same.
void TakeLog::keep(const PlayedPatch::PlayedModel& model) {
    if (!model.model || kept_.contains(model.hash)) return;
    const std::vector<std::byte>& bytes = model.model->bytes;
    try {
        make_folders(kept_models_folder(name_));
        NewFile copy(kept_model_path(name_, content_name(model.hash)), {.is_private = true});
        good_ = copy.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) && good_;
        copy.finish();
    } catch (const WriteError&) {
        good_ = false;
    }
    kept_.insert(model.hash);
}

void TakeLog::write(const SessionReport& report) {
    if (report.patch)
        for (const PlayedPatch::PlayedModel& model : report.patch->models) keep(model);
    if (std::string line = to_log_line(report); !line.empty()) {
        lines_ += std::move(line) + '\n';
        waiting_.add(report.at);
    }
    tells_ = true;
}

void TakeLog::write(const TakeRecording& recording) {
    lines_ += log_end(recording) + '\n';
}

void TakeLog::flush() {
    if (file_.append(lines_))
        written_ += static_cast<std::int64_t>(lines_.size());
    else
        lose();
    lines_ = written_ > 0 ? "" : head();  // a log without its head is none
    waiting_ = {};
    const auto now = std::chrono::steady_clock::now();
    if (now - on_disk_at_ < disk_every) return;
    on_disk_at_ = now;
    good_ = file_.sync() && good_;
}

/// The file ends with a whole line again, so that more can follow when there is room.
void TakeLog::lose() {
    good_ = false;
    if (waiting_.count > 0) {
        if (lost_.count == 0) lost_.from = waiting_.from;
        lost_.to = waiting_.to;
        lost_.count += waiting_.count;
    }
    // Not on a device: what fails there can't be mended.
    if (ftruncate(file_.fd(), written_) != 0 || lseek(file_.fd(), written_, SEEK_SET) < 0) return;
    if (written_ == 0) return;
    const std::string line = head();
    [[maybe_unused]] const ssize_t count = pwrite(file_.fd(), line.data(), line.size(), 0);
}

std::string TakeLog::finish() {
    flush();
    return file_.finish();
}

}  // namespace gainstage
