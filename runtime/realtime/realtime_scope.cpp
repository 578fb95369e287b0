#include "runtime/realtime/realtime_scope.hpp"

#ifdef GAINSTAGE_RTSAN  // defined for this file alone, so that all others are the same in every build
extern "C" {
void __rtsan_realtime_enter();  // NOLINT: the sanitizer's names
void __rtsan_realtime_exit();   // NOLINT
}
#endif

namespace gainstage {

DeviceCallbackScope::DeviceCallbackScope() noexcept {
#ifdef GAINSTAGE_RTSAN
    __rtsan_realtime_enter();
#endif
}

DeviceCallbackScope::~DeviceCallbackScope() {
#ifdef GAINSTAGE_RTSAN
    __rtsan_realtime_exit();
#endif
}

}  // namespace gainstage
