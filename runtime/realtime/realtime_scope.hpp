#pragma once
/// Tells whoever proves the audio thread's promises that this thread is now at work for the device:
/// RealtimeSanitizer in builds with it, else the guard that test programs bring (tests/support).

#include "runtime/nonblocking.hpp"

namespace gainstage {

/// Around the device's callback. Two empty calls in ordinary builds.
class DeviceCallbackScope {
public:
    DeviceCallbackScope() noexcept GAINSTAGE_REALTIME;
    ~DeviceCallbackScope() noexcept GAINSTAGE_REALTIME;
    DeviceCallbackScope(const DeviceCallbackScope&) = delete;
    DeviceCallbackScope& operator=(const DeviceCallbackScope&) = delete;

    /// Control thread, before the first callback.
    static void prepare();
};

}  // namespace gainstage
