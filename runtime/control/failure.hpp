#pragma once
/// Why a step on a thread of its own failed: exceptions go no further than the thread.

#include <exception>
#include <string>

namespace gainstage {

/// Does `step`. Returns why it failed, in a sentence; "": it didn't.
template <class Step>
std::string failure_of(Step step) {
    try {
        step();
        return {};
    } catch (const std::exception& cause) {
        return cause.what();
    } catch (...) {
        return "the library behind it failed without a reason";
    }
}

}  // namespace gainstage
