#include "runtime/file_names.hpp"

#include <algorithm>
#include <filesystem>

namespace gainstage {

namespace fs = std::filesystem;

namespace {

const std::string mark = ".unfinished";
constexpr std::size_t longest_name = 255;  // bytes, in every file system that matters

std::string with_ending(const std::string& file, const std::string& ending) {
    const fs::path path(file);
    std::string stem = path.stem().string();
    const std::string extension = path.extension().string();
    const std::size_t rest = ending.size() + extension.size();
    stem.resize(std::min(stem.size(), longest_name - std::min(rest, longest_name)));
    return (path.parent_path() / (stem + ending + extension)).string();
}

/// "", or "-" and digits.
bool is_mark_end(const std::string& text) {
    return text.empty() ||
           (text.size() > 1 && text[0] == '-' &&
            std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

/// "a.unfinished-2" -> "a"; "" where there is no mark.
std::string without_unfinished(const std::string& name) {
    const std::size_t at = name.rfind(mark);
    if (at == name.npos || at == 0 || !is_mark_end(name.substr(at + mark.size()))) return {};
    return name.substr(0, at);
}

}  // namespace

std::string numbered_name(const std::string& file, int number) {
    return number == 1 ? file : with_ending(file, "-" + std::to_string(number));
}

std::string unfinished_name(const std::string& file, int number) {
    return with_ending(file, number == 1 ? mark : mark + "-" + std::to_string(number));
}

std::string finished_name(const std::string& file) {
    const fs::path path(file);
    const std::string name = path.filename().string(), extension = path.extension().string();
    std::string finished = without_unfinished(name);  // a name without an extension
    if (finished.empty())
        if (const std::string stem = without_unfinished(path.stem().string()); !stem.empty())
            finished = stem + extension;
    return finished.empty() ? file : (path.parent_path() / finished).string();
}

}  // namespace gainstage
