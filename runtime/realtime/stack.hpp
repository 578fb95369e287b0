#pragma once
/// The stack of a thread that must not meet a page fault.

#include <cstddef>

namespace gainstage {

/// Any thread, once, before it plays: touches the next 256 KiB of its stack, or what there is of it, so that
/// no page of them is missing later. Returns the number of bytes.
std::size_t pretouch_stack() noexcept;

}  // namespace gainstage
