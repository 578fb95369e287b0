#include "tools/gainstage/shipped.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "runtime/folder_names.hpp"
#include "runtime/problem_list.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

namespace fs = std::filesystem;

namespace {

/// More files of a folder are not compared with a wrong name.
constexpr std::size_t most_compared = 1'000;

struct Kind {
    const char *noun, *folder, *ending;
};

const Kind& kind_of(Shipped what) {
    static const Kind patch{"patch", "patches", ".toml"}, model{"model", "models", ".safetensors"};
    return what == Shipped::patch ? patch : model;
}

/// What isn't a folder. A link that leads nowhere counts: opening it says so.
bool is_file(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error)) && !fs::is_directory(path, error);
}

/// Where patches/ and models/ are: beside the program in a build folder, beside its bin/ where it was
/// installed or moved to as a whole, and where CMake would install them. Empty: nowhere.
fs::path data_folder() {
    std::error_code error;
    std::vector<fs::path> places;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (!error)
        places = {program.parent_path() / "share/gainstage", program.parent_path() / GAINSTAGE_DATA_FROM_BIN};
    places.emplace_back(GAINSTAGE_DATA_DIR);
    for (const fs::path& place : places)
        if (fs::is_directory(place / kind_of(Shipped::patch).folder, error)) return place;
    return {};
}

/// The folder by its real name. Empty: it is not there.
fs::path folder_of(Shipped what) {
    const fs::path data = data_folder();
    std::error_code error;
    return data.empty() ? data : fs::canonical(data / kind_of(what).folder, error);
}

/// The names in a folder that have this ending, without it.
std::vector<std::string> stems_in(const std::string& folder, std::string_view ending) {
    std::vector<std::string> stems;
    for (const std::string& name : names_in(folder))
        if (name.size() > ending.size() && name.ends_with(ending))
            stems.push_back(name.substr(0, name.size() - ending.size()));
    return stems;
}

/// "there is no such file here, and no patch of this name comes with Gainstage; did you mean "vocal"? (...)"
std::string fault_of(const std::string& name, std::initializer_list<Shipped> kinds) {
    std::string nouns;
    std::vector<std::string> known;
    for (const Shipped what : kinds) {
        const Kind& kind = kind_of(what);
        nouns += fmt::format("{}{}", nouns.empty() ? "" : " or ", kind.noun);
        std::vector<std::string> stems = shipped_names(what);
        const std::vector<std::string> here = stems_in("", kind.ending);
        stems.insert(stems.end(), here.begin(), here.begin() + std::min(here.size(), most_compared));
        for (const std::string& stem : stems)
            known.push_back(name.ends_with(kind.ending) ? stem + kind.ending : stem);
    }
    return ProblemList("").unknown(
        fmt::format("there is no such file here, and no {} of this name comes with Gainstage", nouns), name,
        "known", Names(known.begin(), known.end()));
}

}  // namespace

Meant meant_file(const std::string& name, std::initializer_list<Shipped> kinds, bool aloud) {
    const auto full_name = [&](Shipped what) {
        const std::string ending = kind_of(what).ending;
        return name.ends_with(ending) ? name : name + ending;
    };
    if (name.empty() || name.find('/') != std::string::npos || is_file(name))
        return {.file = name, .fault = {}};
    for (const Shipped what : kinds)
        if (const std::string file = full_name(what); is_file(file)) {
            if (aloud) say("{}: this is {} in the present folder (note)", name, file);
            return {.file = file, .fault = {}};
        }
    for (const Shipped what : kinds)
        if (const fs::path folder = folder_of(what); !folder.empty() && is_file(folder / full_name(what))) {
            const std::string file = (folder / full_name(what)).string();
            if (aloud) say("{}: this is {}, which comes with Gainstage (note)", name, file);
            return {.file = file, .fault = {}};
        }
    std::error_code error;
    if (fs::exists(name, error)) return {.file = name, .fault = {}};  // a folder: opening it says so
    return {.file = name, .fault = fault_of(name, kinds)};
}

std::vector<std::string> shipped_names(Shipped what) {
    const fs::path folder = folder_of(what);
    return folder.empty() ? std::vector<std::string>{} : stems_in(folder.string(), kind_of(what).ending);
}

}  // namespace gainstage
