#pragma once
/// Proves promise 1 of the audio thread: inside a RealtimeScope nothing may allocate, free, lock, wait, throw
/// or make a system call. A violation ends the program with a message that names the function.
///
/// The build decides which guard is used:
/// - sanitizer (programs test_*_realtime): the scope marks a real-time context for its run-time library;
/// - in_process (ordinary builds with glibc): the test program brings its own malloc, mutex, file and wait
///   functions; they end the program inside a scope and else call those of the C library;
/// - none: builds with the address or thread sanitizer, which need those functions for themselves.

#include <cstdint>

namespace gainstage::test {

enum class RealtimeGuard { none, in_process, sanitizer };
RealtimeGuard realtime_guard() noexcept;

/// Any thread; scopes may nest. All calls of this thread until its end count as work of the audio thread.
class RealtimeScope {
public:
    RealtimeScope() noexcept;
    ~RealtimeScope();
    RealtimeScope(const RealtimeScope&) = delete;
    RealtimeScope& operator=(const RealtimeScope&) = delete;
};

/// Asked before every allocation, on any thread; true: it fails. It must not allocate.
using AllocationFault = bool (*)() noexcept;
/// Null: none fails. Works where the guard is in_process.
void let_allocations_fail(AllocationFault) noexcept;

}  // namespace gainstage::test
