#include "runtime/control/take_log.hpp"

#include <utility>

#include "runtime/engine/take.hpp"

namespace gainstage {

namespace {
constexpr std::chrono::seconds disk_every{1};
}  // namespace

TakeLog::TakeLog(const std::string& file, double rate_hz, bool may_replace)
    : name_(file), file_(file, {.growth = FileManner::Growth::visible, .may_replace = may_replace}) {
    lines_ = log_head(rate_hz) + '\n';
    flush();
}

TakeLog::~TakeLog() {
    if (!tells_) file_.discard();
}

/// Named by its content: another take's file of this name is the same.
void TakeLog::keep(const PlayedPatch::PlayedModel& model) {
    if (!model.model || !kept_.insert(model.hash).second) return;
    const std::vector<std::byte>& bytes = model.model->bytes;
    try {
        make_folders(kept_models_folder(name_));
        NewFile copy(kept_model_path(name_, content_name(model.hash)));
        good_ = copy.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) && good_;
        copy.finish();
    } catch (const WriteError&) {
        good_ = false;
    }
}

void TakeLog::write(const SessionReport& report) {
    if (report.patch)
        for (const PlayedPatch::PlayedModel& model : report.patch->models) keep(model);
    if (std::string line = to_log_line(report); !line.empty()) lines_ += std::move(line) + '\n';
    tells_ = true;
}

void TakeLog::flush() {
    good_ = file_.append(lines_) && good_;
    lines_.clear();
    const auto now = std::chrono::steady_clock::now();
    if (now - on_disk_at_ < disk_every) return;
    on_disk_at_ = now;
    good_ = file_.sync() && good_;
}

std::string TakeLog::finish() {
    flush();
    return file_.finish();
}

}  // namespace gainstage
