#include "runtime/realtime/stack.hpp"

#include <cstddef>

namespace gainstage {

/// Never inlined: the caller would have these 256 KiB in its own frame, for good.
[[gnu::noinline]] void pretouch_stack() noexcept {
    constexpr std::size_t stack_bytes = 256 * 1024, page_bytes = 4096;
    [[maybe_unused]] volatile char stack[stack_bytes];
    for (std::size_t at = 0; at < stack_bytes; at += page_bytes) stack[at] = 0;
}

}  // namespace gainstage
