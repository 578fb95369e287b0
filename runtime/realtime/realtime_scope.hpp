#pragma once
/// Tells RealtimeSanitizer, in builds with it, that this thread is now the audio thread.

#include "runtime/realtime/nonblocking.hpp"

#ifdef GAINSTAGE_RTSAN
extern "C" {
void __rtsan_realtime_enter();
void __rtsan_realtime_exit();
}
#endif

namespace gainstage {

/// Around the device's callback. Costs nothing in ordinary builds.
class DeviceCallbackScope {
public:
#ifdef GAINSTAGE_RTSAN
    DeviceCallbackScope() noexcept { __rtsan_realtime_enter(); }
    ~DeviceCallbackScope() { __rtsan_realtime_exit(); }
#else
    DeviceCallbackScope() noexcept {}
    ~DeviceCallbackScope() {}
#endif
    DeviceCallbackScope(const DeviceCallbackScope&) = delete;
    DeviceCallbackScope& operator=(const DeviceCallbackScope&) = delete;
};

}  // namespace gainstage
