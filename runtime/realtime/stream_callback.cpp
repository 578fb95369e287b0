#include "runtime/realtime/stream_callback.hpp"

#include <chrono>

#include "runtime/realtime/realtime_scope.hpp"
#include "runtime/realtime/stack.hpp"

namespace gainstage {

void StreamCallback::play(void* self, const AudioBlock& block) {
    auto& callback = *static_cast<StreamCallback*>(self);
    thread_local bool touched = (pretouch_stack(), true);
    (void)touched;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::int64_t clock_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    const DeviceCallbackScope scope;
    const int lost = int{block.input_overflow} + int{block.output_underflow};
    if (lost > 0) callback.xruns_.fetch_add(static_cast<std::uint64_t>(lost), std::memory_order_relaxed);
    if (callback.tap_) callback.tap_->push(block.in, block.frames);
    callback.room_.process(block.in, callback.in_channels_, block.out, callback.out_channels_, block.frames,
                           clock_ns, block.midi);
}

}  // namespace gainstage
