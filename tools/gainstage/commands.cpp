#include "tools/gainstage/commands.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gainstage {

int fail(int exit_code, const std::string& message) {
    fmt::print(stderr, "gainstage: {}\n", message);
    return exit_code;
}

int print_problems(const Problems& problems) {
    int code = ok;
    for (const Problem& problem : problems) {
        fmt::print(stderr, "{}{}\n", problem.text(), problem.is_note ? " (note)" : "");
        if (!problem.is_note) code = std::max(code == ok ? 0 : code, problem.exit_code);
    }
    return code;
}

}  // namespace gainstage
