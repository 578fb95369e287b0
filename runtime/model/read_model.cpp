#include <fmt/format.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <bit>
#include <filesystem>

#include "runtime/model/describe.hpp"
#include "runtime/model/hash.hpp"
#include "runtime/model/model.hpp"
#include "runtime/model/safetensors.hpp"
#include "runtime/read_file.hpp"
#include "runtime/sysexits.hpp"
#include "runtime/system_reason.hpp"

namespace gainstage {

namespace {

namespace fs = std::filesystem;

/// Hash of everything that can be heard. The order of tensors and the author's name cannot.
std::uint64_t hash_of_meaning(const Model& model) {
    Hash hash;
    hash.add(model.architecture);
    hash.add(model.config.canonical_json());
    hash.add_number(std::bit_cast<std::uint64_t>(model.sample_rate_hz));
    for (const std::int64_t size : {model.latency_samples, model.receptive_field, model.memory_samples})
        hash.add_number(static_cast<std::uint64_t>(size));
    for (const ModelControl& control : model.controls) {
        hash.add(control.name);
        hash.add(control.unit);
        for (const float value : {control.min, control.max, control.start, control.scale, control.offset})
            hash.add_number(std::bit_cast<std::uint32_t>(value));
        hash.add_number(static_cast<std::uint64_t>(control.steps));
    }
    std::vector<const Tensor*> by_name;
    for (const Tensor& tensor : model.tensors) by_name.push_back(&tensor);
    std::sort(by_name.begin(), by_name.end(), [](auto* a, auto* b) { return a->name < b->name; });
    for (const Tensor* tensor : by_name) {
        hash.add(tensor->name);
        hash.add_number(tensor->shape.size());
        for (const std::int64_t size : tensor->shape) hash.add_number(static_cast<std::uint64_t>(size));
        hash.add(tensor->data);
    }
    return hash.value();
}

/// On huge pages where there are any: 64 MB on small ones are 16,384 page faults, half of the time of reading
/// them.
std::vector<std::byte> zeros(std::size_t size) {
    std::vector<std::byte> bytes;
    bytes.reserve(size);
#if defined(__linux__)
    constexpr std::uintptr_t page = 4096;
    const std::uintptr_t begin = (reinterpret_cast<std::uintptr_t>(bytes.data()) + page - 1) / page * page;
    const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(bytes.data()) + size) / page * page;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // or it is slower
#endif
    bytes.resize(size);
    return bytes;
}

struct Version {
    std::uintmax_t bytes = 0;
    fs::file_time_type written;
    bool operator==(const Version&) const = default;
};

std::string why_missing(const std::string& file) {
    try {
        walk_path(file, Errand::read);
    } catch (const PathFault& fault) {
        if (fault.error == ENOENT || fault.error == ENOTDIR) return no_such_file(fault);
    }
    return "no such file";
}

/// Refuses pipes and devices before they are opened: opening one could block, and reading one could never
/// end.
Version version_of(const std::string& file) {
    std::error_code error;
    const fs::file_status status = fs::status(file, error);
    const auto refuse = [&](const std::string& cause) {
        throw ModelError(fmt::format("{}: {}", file, cause), sysexits::not_found);
    };
    if (status.type() == fs::file_type::not_found) refuse(why_missing(file));
    if (fs::is_directory(status)) refuse("a folder; expected a model file");
    if (!error && !fs::is_regular_file(status)) refuse("not a regular file; expected a model file");
    Version version{};
    if (!error) version.bytes = fs::file_size(file, error);
    if (!error) version.written = fs::last_write_time(file, error);
    if (error) refuse("can't be opened: " + system_reason(error.value()));
    return version;
}

}  // namespace

std::vector<std::byte> model_file_bytes(const std::string& file) {
    const Version before = version_of(file);
    if (before.bytes == 0) throw ModelError(fmt::format("{}: is empty; is it still being written?", file));
    if (before.bytes > max_model_file_bytes)
        throw ModelError(
            fmt::format("{}: {} bytes long; at most {} are read", file, before.bytes, max_model_file_bytes));
    std::vector<std::byte> bytes = zeros(static_cast<std::size_t>(before.bytes));
    std::size_t count = 0;
    try {
        InputFile input(file, "model");
        count = input.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
    } catch (const FileFault& fault) {
        throw ModelError(fmt::format("{}: {}", file, fault.what()), fault.exit_code);
    }
    if (count != bytes.size() || !(version_of(file) == before))
        throw ModelError(
            fmt::format("{}: changed while it was read; write to another name first and rename, "
                        "so that nobody sees half a file",
                        file));
    return bytes;
}

std::shared_ptr<const Model> read_model_bytes(std::vector<std::byte> bytes, const std::string& file) {
    auto model = std::make_shared<Model>();
    model->file = file;
    model->bytes = std::move(bytes);
    describe(*model, parse_safetensors(model->bytes, file));
    model->index_tensors();
    Hash hash;
    hash.add(model->bytes);
    model->content_hash = hash.value();
    model->meaning_hash = hash_of_meaning(*model);
    return model;
}

std::shared_ptr<const Model> read_model_file(const std::string& file) {
    return read_model_bytes(model_file_bytes(file), file);
}

}  // namespace gainstage
