#include "runtime/engine/patch_loader.hpp"

#include <filesystem>

#include "runtime/problem_list.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

std::int64_t modified_ns(const std::string& path) {
    std::error_code error;
    const auto time = fs::last_write_time(path, error);
    return error ? 0 : time.time_since_epoch().count();
}

}  // namespace

Resolved PatchLoader::load(const std::string& patch_file) {
    std::erase_if(models_, [](const auto& entry) { return entry.second.model.expired(); });
    return resolve_with(read_patch_file(patch_file),
                        [this](const std::string& path) { return this->read(path); });
}

Resolved PatchLoader::load_text(const LoggedPatch& patch) {
    return resolve_with(read_patch_text(patch.text, patch.file, patch.folder, patch.link_folders),
                        [&](const std::string& path) {
                            const auto found = patch.models.find(path);
                            if (found == patch.models.end())
                                throw ModelError(path + ": not among the files of the log",
                                                 sysexits::not_found);
                            return read_model_bytes(*found->second, path);
                        });
}

/// Both steps' problems, in the order of the file.
Resolved PatchLoader::resolve_with(ReadPatch read, const ModelReader& reader) {
    Resolved resolved = resolve(read.patch, types_, reader, rate_hz_, prepared_.get());
    if (has_errors(read.problems)) resolved.graph.reset();
    read.problems.insert(read.problems.end(), resolved.problems.begin(), resolved.problems.end());
    sort_by_place(read.problems);
    shorten(read.problems);
    resolved.problems = std::move(read.problems);
    return resolved;
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
    const auto known = models_.find(path);
    if (known != models_.end() && !error && known->second.size == size &&
        known->second.modified_ns == modified)
        if (auto model = known->second.model.lock()) return model;
    auto model = read_model_file(path);
    models_[path] = {.model = model, .size = size, .modified_ns = modified};
    return model;
}

}  // namespace gainstage
