#pragma once
/// No page of a queue is missing when the audio thread comes there.

#include <cstddef>

namespace gainstage {

/// Writes every place of an empty queue once. Control thread.
template <class Queue, class Value>
void touch(Queue& queue, const Value& value) {
    Value taken;
    for (std::size_t n = queue.write_available() + 1; n > 0; --n) {
        queue.push(value);
        queue.pop(taken);
    }
}

}  // namespace gainstage
