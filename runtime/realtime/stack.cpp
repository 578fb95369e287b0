#include "runtime/realtime/stack.hpp"

#include <algorithm>

#include "runtime/thread.hpp"

namespace gainstage {

namespace {

constexpr std::size_t wanted_bytes = 256 * 1024, page_bytes = 4096;
/// Left alone: what this function and a signal's handler need themselves.
constexpr std::size_t spare_bytes = 32 * 1024;

/// Never inlined: the caller would have these bytes in its own frame, for good.
[[gnu::noinline]] void touch(std::size_t bytes) noexcept {
    volatile char* const stack = static_cast<char*>(__builtin_alloca(bytes));
    // From the top down, as a stack grows: the system may refuse a page that is far from the others.
    for (std::size_t at = bytes; at > 0; at -= page_bytes) stack[at - page_bytes] = 0;
}

}  // namespace

std::size_t pretouch_stack() noexcept {
    const std::size_t there = free_stack_bytes();
    const std::size_t bytes =
        std::min(wanted_bytes, there > spare_bytes ? (there - spare_bytes) / page_bytes * page_bytes : 0);
    if (bytes > 0) touch(bytes);
    return bytes;
}

}  // namespace gainstage
