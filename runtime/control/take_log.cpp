#include "runtime/control/take_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "runtime/engine/take.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

bool write_all(int fd, const std::string& text) {
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t count = write(fd, text.data() + done, text.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        done += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace

TakeLog::TakeLog(const std::string& file, double rate_hz)
    : file_(file), fd_(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (fd_ < 0)
        throw std::runtime_error(
            fmt::format("{}: cannot be written; is the folder there, and may you write to it?", file));
    lines_ = log_head(rate_hz) + '\n';
    flush();
}

TakeLog::~TakeLog() {
    if (fd_ >= 0) close(fd_);
}

void TakeLog::keep(const PlayedPatch::PlayedModel& model) {
    if (!model.model || !kept_.insert(model.hash).second) return;
    std::error_code error;
    fs::create_directories(kept_models_folder(file_), error);
    std::ofstream copy(kept_model_path(file_, content_name(model.hash)), std::ios::binary);
    copy.write(reinterpret_cast<const char*>(model.model->bytes.data()),
               static_cast<std::streamsize>(model.model->bytes.size()));
    copy.flush();
    good_ = good_ && copy.good();
}

void TakeLog::write(const SessionReport& report) {
    if (report.patch)
        for (const PlayedPatch::PlayedModel& model : report.patch->models) keep(model);
    if (std::string line = to_log_line(report); !line.empty()) lines_ += std::move(line) + '\n';
}

void TakeLog::flush() {
    good_ = write_all(fd_, lines_) && good_;
    lines_.clear();
}

void TakeLog::finish() {
    flush();
    // A device or a pipe can't be synced, and needn't be.
    if (fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) good_ = false;
    good_ = close(std::exchange(fd_, -1)) == 0 && good_;
}

}  // namespace gainstage
