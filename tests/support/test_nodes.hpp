#pragma once
/// Node types that misbehave on purpose.

#include <atomic>
#include <functional>
#include <thread>

#include "runtime/node.hpp"

namespace gainstage::test {

/// Passes its input, but at chosen stream samples writes something bad: option `what` = nan, inf, loud (+100
/// dB), stuck_nan (from there on, as a poisoned state does), over (a little above the ceiling's default),
/// under (a little below it); `at` = stream sample, `every` = again after so many; `only` = 0: all channels,
/// else the one counted from 1; `latency` = samples by which it delays; `memory` = samples that it claims to
/// remember.
const NodeType& bomb_type();

/// Passes its input and breaks the audio thread's promises at stream sample `at`: option `what` = allocate,
/// free, lock, print, throw.
const NodeType& offender_type();

/// Passes its input and remembers `memory` samples. While newcomers are warmed on the control thread, calls
/// while_warming() on every piece: what the audio thread does meanwhile.
const NodeType& slow_type();
std::function<void()>& while_warming();

/// Passes its input. Once `armed`, an instance that the audio thread runs waits until a worker has come into
/// another one, and the first worker that comes does `on_worker`.
const NodeType& meeting_type();
struct Meeting {
    std::thread::id audio = std::this_thread::get_id();
    std::function<void()> on_worker;
    std::atomic<bool> armed{false}, worker_came{false}, released{false}, left{false};
    /// For `on_worker`: stays until `released`, a minute at most.
    void stay() const;
};
/// The one that all instances know; null: none.
Meeting*& meeting();
}  // namespace gainstage::test
