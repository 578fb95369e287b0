#pragma once
/// Tells RealtimeSanitizer, in builds with it, that this thread is now the audio thread.

#include "runtime/realtime/nonblocking.hpp"

namespace gainstage {

/// Around the device's callback. Two empty calls in ordinary builds.
class DeviceCallbackScope {
public:
    DeviceCallbackScope() noexcept GAINSTAGE_REALTIME;
    ~DeviceCallbackScope() GAINSTAGE_REALTIME;
    DeviceCallbackScope(const DeviceCallbackScope&) = delete;
    DeviceCallbackScope& operator=(const DeviceCallbackScope&) = delete;
};

}  // namespace gainstage
