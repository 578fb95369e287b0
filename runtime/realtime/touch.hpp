#pragma once
/// No page of a queue is missing when the audio thread comes there.

#include <algorithm>
#include <array>
#include <cstddef>

namespace gainstage {

/// Writes every place of an empty queue once. Control thread.
template <class Queue, class Value>
void touch(Queue& queue, const Value& value) {
    constexpr std::size_t most_at_once = 32;
    std::array<Value, most_at_once> values;
    values.fill(value);
    const std::size_t room = queue.write_available();
    std::size_t left = room == 0 ? 0 : room + 1;  // the ring has one place more than it holds
    while (left > 0) {
        const std::size_t count = std::min({left, room, most_at_once});
        queue.push(values.data(), count);
        queue.pop(values.data(), count);
        left -= count;
    }
}

}  // namespace gainstage
