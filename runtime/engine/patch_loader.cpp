#include "runtime/engine/patch_loader.hpp"

#include <filesystem>

#include "runtime/patch/read_patch.hpp"
#include "runtime/problem_list.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

Resolved with_reading_problems(ReadPatch read, Resolved resolved) {
    if (has_errors(read.problems)) resolved.graph.reset();
    read.problems.insert(read.problems.end(), resolved.problems.begin(), resolved.problems.end());
    sort_by_place(read.problems);
    shorten(read.problems);
    resolved.problems = std::move(read.problems);
    return resolved;
}

std::int64_t modified_ns(const std::string& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error);
    return error ? 0 : time.time_since_epoch().count();
}

}  // namespace

Resolved PatchLoader::load(const std::string& patch_file) {
    ReadPatch read = read_patch_file(patch_file);
    Resolved resolved = resolve(
        read.patch, types_, [this](const std::string& path) { return this->read(path); }, rate_hz_);
    return with_reading_problems(std::move(read), std::move(resolved));
}

Resolved PatchLoader::load_text(const std::string& text, const std::string& file,
                                const std::map<std::string, Snapshot>& models) {
    ReadPatch read = read_patch_text(text, file, fs::path(file).parent_path().string());
    const auto from_log = [&](const std::string& path) {
        const auto found = models.find(path);
        if (found == models.end()) throw ModelError(path + ": not among the files of the log");
        return read_model_bytes(found->second.bytes, path);
    };
    Resolved resolved = resolve(read.patch, types_, from_log, rate_hz_);
    return with_reading_problems(std::move(read), std::move(resolved));
}

const Snapshot* PatchLoader::snapshot(const Model& model) const {
    const auto found = snapshots_.find(model.content_hash);
    return found == snapshots_.end() ? nullptr : &found->second;
}

void PatchLoader::forget(const std::string& file) {
    if (file.empty()) return models_.clear();
    std::error_code error;
    std::erase_if(models_, [&](const auto& entry) {
        return entry.first == file || fs::equivalent(entry.first, file, error);
    });
}

std::shared_ptr<const Model> PatchLoader::read(const std::string& path) {
    std::error_code error;
    const auto size = static_cast<std::int64_t>(fs::file_size(path, error));
    const auto modified = modified_ns(path);
    const auto cached = models_.find(path);
    if (cached != models_.end() && !error && cached->second.size == size &&
        cached->second.modified_ns == modified)
        return cached->second.model;
    std::vector<std::byte> bytes = model_file_bytes(path);
    auto model = read_model_bytes(bytes, path);
    models_[path] = {.model = model, .size = size, .modified_ns = modified};
    snapshots_[model->content_hash] = {.hash = model->content_hash, .bytes = std::move(bytes)};
    return model;
}

}  // namespace gainstage
