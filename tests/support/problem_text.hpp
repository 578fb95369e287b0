#pragma once
/// Problems as a player reads them.

#include <string>

#include "runtime/problem.hpp"

namespace gainstage::test {

/// One line for each problem; notes are marked.
inline std::string lines(const Problems& problems) {
    std::string text;
    for (const Problem& problem : problems) text += (problem.is_note ? "note: " : "") + problem.text() + "\n";
    return text;
}

}  // namespace gainstage::test
