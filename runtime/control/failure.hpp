#pragma once
/// Why a step on a thread of its own failed: exceptions go no further than the thread.

#include <exception>
#include <string>

#include "runtime/control/inbox.hpp"
#include "runtime/out_of_memory.hpp"
#include "runtime/sysexits.hpp"
#include "runtime/thread.hpp"

namespace gainstage {

struct Failure {
    std::string text = {};         ///< a sentence; "": the step did not fail
    int exit_code = sysexits::ok;  ///< with which it ends a program

    explicit operator bool() const noexcept { return exit_code != sysexits::ok; }
};

/// The code of what a step threw: `usual`, unless the machine has no thread or no memory for the step.
inline int exit_code_of(const std::exception& cause, int usual) noexcept {
    const bool lacks_thread = dynamic_cast<const NoThread*>(&cause) != nullptr;
    return lacks_thread || is_out_of_memory(cause) ? sysexits::environment : usual;
}

/// Does `step`. Where there is no memory for the sentence, waits for some. `usual`: the exit code of its
/// faults.
template <class Step>
Failure failure_of(int usual, Step step) {
    Failure failure;
    try {
        step();
    } catch (const std::exception& cause) {
        failure.exit_code = exit_code_of(cause, usual);
        patiently([&] { failure.text = reason_of(cause); });
    } catch (...) {
        failure.exit_code = usual;
        patiently([&] { failure.text = "the library behind it failed without a reason"; });
    }
    return failure;
}

}  // namespace gainstage
