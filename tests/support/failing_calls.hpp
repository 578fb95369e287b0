#pragma once
/// Calls of the system that fail once. failing_calls.cpp is preloaded into a program (LD_PRELOAD); it counts
/// the calls of each family in a file that the test reads, and lets one of them fail. Calls on standard
/// output and error are neither counted nor do they fail: what a display does with them has tests of its own.
///
///   GAINSTAGE_CALL_COUNTS=FILE   holds a CallCounts
///   GAINSTAGE_FAIL=write:17      the seventeenth

#include <cstdint>

namespace gainstage::test {

inline constexpr const char* call_families[] = {"write", "open", "rename", "fsync",
                                                "close", "poll", "unlink"};
inline constexpr int call_family_count = static_cast<int>(sizeof call_families / sizeof call_families[0]);

struct CallCounts {
    std::uint64_t calls[call_family_count] = {};
    std::uint64_t failed = 0;
};

}  // namespace gainstage::test
