#include "runtime/realtime/timeline.hpp"

#include <algorithm>

namespace gainstage {

bool Timeline::IsLater::operator()(const Waiting& a, const Waiting& b) const noexcept GAINSTAGE_REALTIME {
    return a.event.stamp != b.event.stamp ? a.event.stamp > b.event.stamp : a.number > b.number;
}

bool Timeline::add(const Event& event) noexcept GAINSTAGE_REALTIME {
    if (is_full()) return false;
    Waiting* const first = events_.data();
    first[count_++] = {.event = event, .number = added_++};
    std::push_heap(first, first + count_, IsLater());
    return true;
}

Event Timeline::take() noexcept GAINSTAGE_REALTIME {
    Waiting* const first = events_.data();
    std::pop_heap(first, first + count_, IsLater());
    return first[--count_].event;
}

}  // namespace gainstage
