#pragma once
/// The stack of a thread that must not meet a page fault.

namespace gainstage {

/// Any thread, once: touches the next 256 KiB of its stack, so that no page of them is missing later.
void pretouch_stack() noexcept;

}  // namespace gainstage
