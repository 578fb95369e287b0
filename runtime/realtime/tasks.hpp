#pragma once
/// A plan cut into parts that several threads may share, and the buffers between the parts.

#include <atomic>
#include <cstdint>
#include <vector>

#include "runtime/realtime/piece.hpp"

namespace gainstage {

/// Tasks by their numbers.
using TaskSet = std::uint32_t;
inline constexpr int max_tasks = 32;
inline constexpr TaskSet task_bit(int task) noexcept {
    return TaskSet{1} << task;
}

/// Steps [begin, end) of a plan. One thread runs them in order and has all their slots, histories and buffers
/// to itself.
struct alignas(64) Task {
    int begin = 0, end = 0;
    TaskSet needs = 0;    ///< tasks that must be over first; all have lower numbers
    bool anyone = false;  ///< a branch that any thread may run; else the audio thread's own (device channels)
    std::vector<Slot*> slots;
    std::vector<History*> histories;  ///< that it writes

    // whoever runs the task; afterwards the audio thread
    Piece piece;

    // audio thread, before Tasks::given_up
    NodeKey stands_in = 0;  ///< where the worker that holds the task was last seen
};

/// A buffer that one task writes and others read. When one of them is lost, the others go on with a stand-in:
/// the lost one may still read or write the buffer.
struct Crossing {
    float* sound = nullptr;
    float* stand_in = nullptr;
    TaskSet writer = 0, readers = 0;
    float last = 0.f;  ///< the latest sample that was heard
};

struct Tasks {
    std::vector<Task> list;  ///< in an order in which one thread may run them
    std::vector<Crossing> crossings;
    TaskSet all = 0, anyone = 0;
    int least_frames = 1;  ///< shorter pieces are not worth sharing

    // audio thread
    TaskSet lost = 0;  ///< given up in the hands of a worker: never run again
    std::uint64_t lost_since = 0;

    /// As `lost`; written once at most, when `lost_since` and `stands_in` are there. The control thread acts
    /// on it.
    std::atomic<TaskSet> given_up{0};

    // control thread
    bool is_stall_told = false;
};

}  // namespace gainstage
