#include "runtime/realtime/stream_callback.hpp"

#include <chrono>
#include <thread>

#include "runtime/realtime/realtime_scope.hpp"
#include "runtime/realtime/stack.hpp"

namespace gainstage {

/// In freewheel nothing needs to be lost: the block waits until recorder and log have taken what came before.
/// Not for ever, for a disk may hang and somebody may want to stop the stream.
void StreamCallback::wait_for_room(int frames) const {
    using namespace std::chrono_literals;
    const auto has_room = [&] {
        return room_.has_room() && !is_held_.load(std::memory_order_relaxed) &&
               (!tap_ || tap_->has_room(frames));
    };
    for (const auto end = std::chrono::steady_clock::now() + 2s;
         !has_room() && std::chrono::steady_clock::now() < end;)
        std::this_thread::sleep_for(1ms);
}

void StreamCallback::play(void* self, const AudioBlock& block) {
    auto& callback = *static_cast<StreamCallback*>(self);
    thread_local bool touched = (pretouch_stack(), true);
    (void)touched;
    if (block.freewheels) callback.wait_for_room(block.frames);
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::int64_t clock_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
    const DeviceCallbackScope scope;
    if (block.input_overflow || block.output_underflow)
        callback.xruns_.fetch_add(1, std::memory_order_relaxed);
    if (callback.tap_) callback.tap_->push(block.in, block.frames);
    callback.room_.process(block, callback.in_channels_, callback.out_channels_, clock_ns);
}

}  // namespace gainstage
