#include "runtime/realtime/timeline.hpp"

namespace gainstage {

bool Timeline::add(const Event& event) noexcept {
    if (is_full()) return false;
    auto at = events_.end();
    while (at != events_.begin() && (at - 1)->stamp <= event.stamp) --at;
    events_.insert(at, event);
    return true;
}

Event Timeline::take() noexcept {
    const Event event = events_.back();
    events_.pop_back();
    return event;
}

}  // namespace gainstage
