#pragma once
/// Proves promise 1 of the audio thread: inside a RealtimeScope nothing may allocate, free, lock, wait, throw
/// or call the system. A violation ends the program with a message that names the function.
///
/// Which guard stands there depends on the build:
/// - sanitizer (GAINSTAGE_SANITIZE=realtime): the scope marks a real-time context for its run-time library;
/// - in_process (ordinary builds with glibc): the test program brings its own malloc, mutex, file and wait
///   functions, which look whether a scope is active on their thread and otherwise call the C library's;
/// - none: builds with the address or thread sanitizer, which need those functions for themselves.

#include <cstdint>

namespace gainstage::test {

enum class RealtimeGuard { none, in_process, sanitizer };
RealtimeGuard realtime_guard() noexcept;

/// Any thread; nests. Everything until its end counts as the audio thread's work.
class RealtimeScope {
public:
    RealtimeScope() noexcept;
    ~RealtimeScope();
    RealtimeScope(const RealtimeScope&) = delete;
    RealtimeScope& operator=(const RealtimeScope&) = delete;
};

}  // namespace gainstage::test
