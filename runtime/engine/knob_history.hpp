#pragma once
/// Where every knob has been lately: newcomers are warmed on it. Control thread.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/realtime/knob_trail.hpp"
#include "runtime/realtime/transition.hpp"

namespace gainstage {

/// A knob began to move.
struct KnobMoved {
    std::uint64_t sequence = 0;
    NodeKey key = 0;
    std::int32_t param = 0;
    Ramp ramp{};
};

/// The moves of one leg of a warming, by value: the thread that warms reads nothing else of the history,
/// which the control thread goes on writing. One thread at a time.
class KnobPassage {
public:
    /// `moves` in order; `next_sequence`: the first move after them.
    KnobPassage(std::vector<KnobMoved> moves, std::uint64_t next_sequence)
        : moves_(std::move(moves)), next_sequence_(next_sequence) {}

    /// Moves the warming's knobs that moved up to and including its present time. Returns the next stop, at
    /// most `end`.
    std::uint64_t move_due(Warming&, std::uint64_t end);

private:
    std::vector<KnobMoved> moves_;
    std::size_t next_ = 0;
    std::uint64_t next_sequence_;
};

class KnobHistory {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

private:
    /// The knobs of a node.
    struct Node {
        std::vector<Ramp> ramps;             // per param
        std::vector<std::uint32_t> numbers;  // of their names
    };
    /// The scenes of a patch.
    struct Scenes {
        std::shared_ptr<const SceneTable> table;
        std::uint64_t until = never;  // stream sample: no cue of theirs is later
        bool is_used = false;         // a cue of theirs was taken
    };

public:
    /// The nodes that another arrangement brings. It is made first, because making it needs memory and
    /// take() must not fail half-way.
    class Newcomers {
    public:
        explicit Newcomers(const KnobHistory& history) : history_(history) {}
        /// A node that begins to play, with its knobs as they stand.
        void add_node(const Slot&, std::vector<Ramp> knobs);
        /// Another instance takes the node's place; `param_of_old[p]` is where its knob p was before, -1:
        /// nowhere.
        void replace_node(const Slot&, const std::vector<int>& param_of_old, const std::vector<Ramp>& start);
        /// The scenes that move knobs from this sample on, and how they stand.
        void set_scenes(std::shared_ptr<const SceneTable>, const SceneState&, std::uint64_t stamp);

    private:
        friend KnobHistory;
        const KnobHistory& history_;
        std::unordered_map<NodeKey, Node> knobs_;
        std::unordered_map<NodeKey, std::vector<std::int32_t>> now_at_;  // of the knobs that were there
        std::vector<Scenes> scenes_;
        SceneState scene_;
    };
    /// Throws std::bad_alloc, and then has changed nothing.
    void take(Newcomers&&);
    /// A node that is gone for longer than any entry is old.
    void forget_node(NodeKey key) { before_.erase(key); }
    /// The sample of the trail's next move that is not in the history; `never` where there is none.
    std::uint64_t next_move(const KnobTrail&);
    /// Takes that move. Returns what nobody else tells: a scene that a MIDI message chose. Throws
    /// std::bad_alloc, and then has changed nothing. REQUIRES: next_move() has just found one.
    std::optional<Event> take_move();
    /// How many moves after `time` the trail had overwritten before they were taken. The positions of those
    /// knobs are unknown until they move again.
    std::uint64_t lost_after(std::uint64_t time) const;
    /// Forgets the moves before `time`, but not where the knobs were then.
    void forget_before(std::uint64_t time);

    /// Sets the warming's knobs as they were at `time`, and its place in the sequence.
    void set_up(Warming&, std::uint64_t time) const;
    /// The moves from `sequence` on, up to and including stream sample `end`.
    KnobPassage passage(std::uint64_t sequence, std::uint64_t end) const;
    /// Where a knob is going, as far as its moves have been taken; nothing for one that it does not know.
    std::optional<float> latest(NodeKey, int param) const;
    /// How the scenes of the playing patch stand, as far as that.
    const SceneState& scene() const noexcept { return scene_; }
    /// Of the next move that will be taken.
    std::uint64_t next_sequence() const noexcept { return next_sequence_; }

private:
    int param_of(const Node&, const SceneTable::Knob&) const;
    void move_before(const SceneCue&);
    const SceneTable* table_of(const SceneCue&) const;
    std::optional<float> value_after(const SceneCue&, NodeKey, int param) const;

    std::unordered_map<NodeKey, Node> before_;  // as the oldest entry found them
    std::vector<Scenes> scenes_;                // the last: of what plays
    SceneState scene_;
    std::deque<KnobMoved> entries_;
    std::uint64_t next_sequence_ = 0;
    KnobMoved coming_;  // what next_move() has found
    struct Gap {
        std::uint64_t before = 0;  // stream sample: the first move that is known again
        std::uint64_t lost = 0;
    };
    std::vector<Gap> gaps_;
};

}  // namespace gainstage
