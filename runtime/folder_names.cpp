#include "runtime/folder_names.hpp"

#include <dirent.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace gainstage {

std::vector<std::string> names_in(const std::string& folder) {
    const auto close = [](DIR* open) { closedir(open); };
    const std::unique_ptr<DIR, decltype(close)> open(opendir(folder.empty() ? "." : folder.c_str()), close);
    std::vector<std::string> names;
    while (const dirent* entry = open ? readdir(open.get()) : nullptr)
        if (const std::string_view name = entry->d_name; name != "." && name != "..")
            names.emplace_back(name);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace gainstage
