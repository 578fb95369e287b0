#include "runtime/realtime/timeline.hpp"

#include <algorithm>

namespace gainstage {

bool Timeline::is_later(const Waiting& a, const Waiting& b) noexcept {
    return a.event.stamp != b.event.stamp ? a.event.stamp > b.event.stamp : a.number > b.number;
}

bool Timeline::add(const Event& event) noexcept {
    if (is_full()) return false;
    Waiting* const first = events_.data();
    first[count_++] = {.event = event, .number = added_++};
    std::push_heap(first, first + count_, is_later);
    return true;
}

Event Timeline::take() noexcept {
    Waiting* const first = events_.data();
    std::pop_heap(first, first + count_, is_later);
    return first[--count_].event;
}

}  // namespace gainstage
