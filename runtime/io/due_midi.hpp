#pragma once
/// The way of MIDI from the control thread to whoever sends it.

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <cstddef>
#include <cstdint>

#include "runtime/nonblocking.hpp"
#include "runtime/realtime/midi_message.hpp"

namespace gainstage {

struct DueMidi {
    std::uint64_t due = 0;  ///< sample of the stream
    MidiMessage message;
};

/// One producer, one consumer, wait-free, bounded; counts what leaves and what is lost.
class DueMidiQueue {
public:
    static constexpr std::size_t most = 1'024;

    /// The producer. False: no room; counted.
    bool push(const DueMidi& message) noexcept {
        if (queue_.push(message)) return true;
        drop();
        return false;
    }
    /// The consumer: the next message, or null. It stays until it is done().
    const DueMidi* next() noexcept GAINSTAGE_REALTIME {
        return queue_.read_available() > 0 ? &queue_.front() : nullptr;
    }
    /// The next message has left, or not.
    void done(bool has_left) noexcept GAINSTAGE_REALTIME {
        queue_.pop();
        has_left ? static_cast<void>(sent_.fetch_add(1, std::memory_order_relaxed)) : drop();
    }

    // any thread
    std::uint64_t sent() const noexcept { return sent_.load(std::memory_order_relaxed); }
    std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

private:
    void drop() noexcept GAINSTAGE_REALTIME { dropped_.fetch_add(1, std::memory_order_relaxed); }

    boost::lockfree::spsc_queue<DueMidi, boost::lockfree::capacity<most>> queue_;
    std::atomic<std::uint64_t> sent_{0}, dropped_{0};
};

}  // namespace gainstage
