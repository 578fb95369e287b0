#include "tools/gainstage/exit_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "nodes/kernels/simd.hpp"

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

int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv) {
    try {
        simd_level();  // an unknown one is reported before anything else
        return run(argc, argv);
    } catch (const SimdError& error) {
        return fail(environment, error.what());
    } catch (const std::exception& error) {
        return fail(internal, fmt::format("a fault of Gainstage itself: {}; please report it", error.what()));
    }
}

}  // namespace gainstage
