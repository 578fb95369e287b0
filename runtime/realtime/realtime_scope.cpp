#include "runtime/realtime/realtime_scope.hpp"

extern "C" {
#if defined(GAINSTAGE_RTSAN)    // defined for this file alone, so that all others are the same in every build
void __rtsan_init();            // NOLINT: the sanitizer's names
void __rtsan_realtime_enter();  // NOLINT
void __rtsan_realtime_exit();   // NOLINT
#elif defined(__ELF__)
[[gnu::weak]] void gainstage_callback_begins() noexcept;  // a test program has them
[[gnu::weak]] void gainstage_callback_ends() noexcept;
#endif
}

namespace gainstage {

DeviceCallbackScope::DeviceCallbackScope() noexcept GAINSTAGE_REALTIME {
#if defined(GAINSTAGE_RTSAN)
    __rtsan_realtime_enter();
#elif defined(__ELF__)
    if (gainstage_callback_begins) gainstage_callback_begins();
#endif
}

DeviceCallbackScope::~DeviceCallbackScope() noexcept GAINSTAGE_REALTIME {
#if defined(GAINSTAGE_RTSAN)
    __rtsan_realtime_exit();
#elif defined(__ELF__)
    if (gainstage_callback_ends) gainstage_callback_ends();
#endif
}

void DeviceCallbackScope::prepare() {
#if defined(GAINSTAGE_RTSAN)
    __rtsan_init();
#endif
}

}  // namespace gainstage
