#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "tools/bench/engine/sections.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

namespace fs = std::filesystem;

void checking(BenchReport& report, const std::string& source) {
    const std::string patch = source + "/patches/vocal.toml",
                      program = fs::canonical("/proc/self/exe").parent_path() / "gainstage";
    if (!fs::exists(program)) {
        put("check: {} is not there; build it for this row\n", program);
        return;
    }
    std::vector<double> ms;
    for (int k = 0; k < (report.quick ? 5 : 20); ++k) {
        const auto begin = Clock::now();
        if (std::system(fmt::format("'{}' check '{}' > /dev/null", program, patch).c_str()) != 0) return;
        ms.push_back(seconds_since(begin) * 1e3);
    }
    report.row("check: vocal.toml, the whole command with a shell, median", "< 20 ms", median(ms), 20., "ms");
}

}  // namespace gainstage
