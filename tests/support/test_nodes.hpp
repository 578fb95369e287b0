#pragma once
/// Node types that misbehave on purpose.

#include <atomic>
#include <functional>
#include <thread>

#include "runtime/node.hpp"

namespace gainstage::test {

/// Passes its input, but writes something bad at chosen stream samples. Options: `what` = nan, inf, loud
/// (+100 dB), stuck_nan (from there on, like a poisoned state), over (a little above a patch's default
/// ceiling), under (a little below it), hot and too_hot (the same around the ceiling of plain effects); `at`
/// = stream sample; `every` = again after this many samples; `only` = 0 for all channels, else one channel
/// counted from 1; `latency` = samples by which it delays; `memory` = samples that it claims to remember.
const NodeType& bomb_type();

/// Passes its input and breaks the audio thread's promises at stream sample `at`. Option `what` = allocate,
/// free, lock, print, throw.
const NodeType& offender_type();

/// Passes its input and remembers `memory` samples. It calls while_warming() at every block, so that a test
/// can let the audio thread play while the control thread warms newcomers.
const NodeType& slow_type();
std::function<void()>& while_warming();

/// Passes its input. Once `armed`, an instance on the audio thread waits until a worker has entered another
/// instance. The first worker that enters runs `on_worker`.
const NodeType& meeting_type();
struct Meeting {
    std::thread::id audio = std::this_thread::get_id();
    std::function<void()> on_worker;
    std::atomic<bool> armed{false}, worker_came{false}, released{false}, left{false};
    /// For `on_worker`: stays until `released`, a minute at most.
    void stay() const;
};
/// The meeting that all instances know; null for none.
Meeting*& meeting();
}  // namespace gainstage::test
