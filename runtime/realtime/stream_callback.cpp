#include "runtime/realtime/stream_callback.hpp"

#include <chrono>

#include "runtime/realtime/realtime_scope.hpp"
#include "runtime/realtime/stack.hpp"

namespace gainstage {

void StreamCallback::play(void* self, const float* const* in, float* const* out, int frames,
                          bool input_overflow, bool output_underflow) {
    auto& callback = *static_cast<StreamCallback*>(self);
    thread_local bool touched = (pretouch_stack(), true);
    (void)touched;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::int64_t clock_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    const DeviceCallbackScope scope;
    const int lost = int{input_overflow} + int{output_underflow};
    if (lost > 0) callback.xruns_.fetch_add(static_cast<std::uint64_t>(lost), std::memory_order_relaxed);
    if (callback.tap_) callback.tap_->push(in, frames);
    callback.room_.process(in, callback.in_channels_, out, callback.out_channels_, frames, clock_ns);
}

}  // namespace gainstage
