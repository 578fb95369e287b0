#include "runtime/patch/read_patch.hpp"

#include <algorithm>
#include <filesystem>

#include "runtime/foreign_bytes.hpp"
#include "runtime/patch/read_tables.hpp"
#include "runtime/read_file.hpp"

namespace gainstage {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t head_bytes = 4096;         // tell what a file is
constexpr std::size_t largest_bytes = 4u << 20;  // a thousand nodes take about 50 kB

/// A model in place of a patch, with the way to play it. Empty: none.
std::string some_model(std::string_view bytes) {
    const std::string_view head = bytes.substr(0, head_bytes);
    std::string other = model_of_others(head);
    return other.empty() ? model_in_place_of_a_patch(head) : other;
}

/// The same of a file that is too large for a patch.
std::string some_model_in(const std::string& file) {
    std::string head(head_bytes, '\0');
    try {
        head.resize(InputFile(file, "patch").read(head.data(), head.size()));
    } catch (const FileFault&) {
        return {};
    }
    return some_model(head);
}

/// Why the bytes can't be a patch, before TOML is asked. Empty: they may be one.
std::string no_patch(std::string_view bytes) {
    if (std::string cause = some_model(bytes); !cause.empty()) return cause;
    if (std::string cause = no_text(bytes); !cause.empty()) return cause;
    if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos)
        return "the file is empty; a patch begins with format = 1";
    return {};
}

ReadPatch refused(const std::string& file, std::string message, int exit_code) {
    ReadPatch read;
    read.patch.readable = false;
    read.patch.file = file;
    ProblemList problems(file);
    problems.error({}, "", std::move(message), exit_code);
    read.problems = problems.take();
    return read;
}

/// The folders of the links that lead to the file, the nearest to it first. Empty: it is no link.
std::vector<std::string> folders_of_links(fs::path file) {
    constexpr int most = 40;  // as the kernel has it
    std::vector<std::string> folders;
    std::error_code error;
    for (int k = 0; k < most && fs::is_symlink(file, error); ++k) {
        folders.insert(folders.begin(), file.parent_path().string());
        const fs::path target = fs::read_symlink(file, error);
        file = file.parent_path() / target;  // an absolute target stands for itself
    }
    return folders;
}

}  // namespace

ReadPatch read_patch_file(const std::string& file) {
    std::string text;
    try {
        text = read_whole_file(file, "patch", largest_bytes);
    } catch (const FileFault& fault) {
        const std::string known = fault.exit_code == sysexits::bad_data ? some_model_in(file) : "";
        return refused(file, known.empty() ? fault.what() : known, fault.exit_code);
    }
    const std::string folder = fs::path(file).parent_path().string();
    const std::vector<std::string> link_folders = folders_of_links(file);
    if (link_folders.empty()) return read_patch_text(std::move(text), file, folder);
    std::error_code error;
    const fs::path behind = fs::canonical(file, error);
    return read_patch_text(std::move(text), file, error ? folder : behind.parent_path().string(),
                           link_folders);
}

ReadPatch read_patch_text(std::string text, const std::string& file, const std::string& folder,
                          const std::vector<std::string>& link_folders) {
    if (text.size() > largest_bytes)
        return refused(file, fmt::format("larger than {} MiB; that is no patch", largest_bytes >> 20),
                       sysexits::bad_data);
    if (const std::string cause = no_patch(text); !cause.empty())
        return refused(file, cause, sysexits::bad_data);
    ReadPatch read;
    read.patch.file = file;
    read.patch.folder = folder;
    for (const std::string& one : link_folders) {
        auto& all = read.patch.link_folders;
        if (one != folder && std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    }
    ProblemList problems(file);
    const std::string mended = text.find('\r') == std::string::npos ? "" : with_line_feeds(text);
    const auto document = parse_toml(mended.empty() ? text : mended, problems);
    read.patch.readable = document.has_value();
    if (document) read_document(*document, read.patch, problems);
    read.patch.text = std::move(text);
    read.problems = problems.take();
    return read;
}

}  // namespace gainstage
