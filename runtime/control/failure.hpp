#pragma once
/// Why a step on a thread of its own failed: exceptions go no further than the thread.

#include <exception>
#include <string>

#include "runtime/control/inbox.hpp"
#include "runtime/out_of_memory.hpp"

namespace gainstage {

/// Does `step`. Returns why it failed, in a sentence; "": it didn't. Where there is no memory for the
/// sentence, waits for some.
template <class Step>
std::string failure_of(Step step) {
    std::string failure;
    try {
        step();
    } catch (const std::exception& cause) {
        patiently([&] { failure = reason_of(cause); });
    } catch (...) {
        patiently([&] { failure = "the library behind it failed without a reason"; });
    }
    return failure;
}

}  // namespace gainstage
