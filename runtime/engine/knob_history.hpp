#pragma once
/// Where every knob has been lately: the conditioning trajectory that newcomers are warmed on. Control
/// thread.

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "runtime/realtime/messages.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

class KnobHistory {
public:
    struct Entry {
        std::uint64_t sequence = 0;
        NodeKey key = 0;
        std::int32_t param = 0;
        Ramp ramp{};
    };

    /// A node that begins to play, with its knobs as they stand.
    void add_node(NodeKey, std::vector<Ramp> knobs);
    /// Another instance takes the node's place; `param_of_old[p]` is where its knob p was before, -1:
    /// nowhere.
    void replace_node(NodeKey, const std::vector<int>& param_of_old, const std::vector<Ramp>& start);
    void add(const Report& knob);
    /// Reports that never came (the queue was full) of moves after `time`: where those knobs are is unknown
    /// until they move again.
    std::uint64_t lost_after(std::uint64_t time) const;
    /// Forgets the way that knobs took before `time`, not where they were.
    void forget_before(std::uint64_t time);

    /// Sets the warming's knobs as they were at `time`, and its place in the sequence.
    void set_up(Warming&, std::uint64_t time) const;
    /// Moves the warming's knobs that moved up to and including its present time; returns the next stop, at
    /// most `end`.
    std::uint64_t move_due(Warming&, std::uint64_t end) const;

private:
    std::unordered_map<NodeKey, std::vector<Ramp>> before_;  // as the oldest entry found them
    std::deque<Entry> entries_;
    std::uint64_t next_sequence_ = 0;
    struct Gap {
        std::uint64_t before = 0;  // stream sample: the first move that was reported again
        std::uint64_t lost = 0;
    };
    std::vector<Gap> gaps_;
};

}  // namespace gainstage
