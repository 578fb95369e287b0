#include "tools/gainstage/exit_code.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <new>

#include "nodes/kernels/simd.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/problem_list.hpp"
#include "runtime/thread.hpp"
#include "tools/gainstage/console.hpp"

namespace gainstage {

namespace {

const char* meaning_of(ExitCode code) {
    switch (code) {
        case ok:
            return "done";
        case usage:
            return "wrong usage";
        case bad_data:
            return "a bad patch, model or sound file";
        case not_found:
            return "a file not found";
        case no_device:
            return "no such device, or it is gone";
        case internal:
            return "a fault of Gainstage";
        case cannot_write:
            return "cannot write";
        case environment:
            return "something missing on this machine";
    }
    return "";
}

int fail_without_memory() noexcept {
    say("gainstage: {}", out_of_memory);  // or a shorter sentence, which needs no memory
    return environment;
}

int run_to_code(int (*run)(int argc, char** argv), int argc, char** argv) {
    try {
        simd_level();  // an unknown one is reported before anything else
        return run(argc, argv);
    } catch (const SimdError& error) {
        return fail(environment, error.what());
    } catch (const NoThread& error) {
        return fail(environment, error.what());
    } catch (const std::bad_alloc&) {
        return fail_without_memory();
    } catch (const std::exception& error) {
        return fail(internal, formatted("a fault of Gainstage itself: {}; please report it", error.what()));
    }
}

/// Where `ulimit -s` leaves the main thread no stack to work on, a thread with a stack of its own does the
/// work.
int run_on_enough_stack(int (*run)(int argc, char** argv), int argc, char** argv) {
    constexpr std::size_t enough = std::size_t{8} << 20;  // the usual; an engine takes megabytes of it
    rlimit limit{};
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= enough) return run_to_code(run, argc, argv);
    int code = environment;
    try {
        Thread(
            "gainstage",
            [&] {
                hear_signals();
                code = run_to_code(run, argc, argv);
            },
            enough)
            .join();
    } catch (const NoThread& error) {
        return fail(environment, error.what());
    } catch (const std::bad_alloc&) {
        return fail_without_memory();
    }
    return code;
}

}  // namespace

std::string text_of(std::initializer_list<ExitCode> codes) {
    std::string text;
    for (const ExitCode code : codes)
        text += fmt::format("  {:>2}  {}\n", static_cast<int>(code), meaning_of(code));
    return text;
}

int fail(int exit_code, std::string_view message) noexcept {
    say("gainstage: {}", message);
    return exit_code;
}

int print_problems(const Problems& problems) {
    int code = ok;
    Problems told = problems;
    shorten_for_people(told, "gainstage check --json lists them");
    for (const Problem& problem : told) {
        say("{}{}", problem.text(), problem.is_note ? " (note)" : "");
        if (!problem.is_note) code = std::max(code, problem.exit_code);
    }
    return code;
}

int run_guarded(int (*run)(int argc, char** argv), int argc, char** argv) {
    give_stacks_to_libraries();
    open_console();
    return close_console(run_on_enough_stack(run, argc, argv));
}

}  // namespace gainstage
