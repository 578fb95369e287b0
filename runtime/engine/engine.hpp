#pragma once
/// The control side of a stream: builds what plays, changes it without a click, collects what is over.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/knob_history.hpp"
#include "runtime/plan/change.hpp"
#include "runtime/realtime/audio_room.hpp"

namespace gainstage {

struct EngineConfig {
    RoomConfig room;
};

/// What a listener is told. `text` is a whole sentence for people; the rest is for scripts and logs.
struct EngineNews {
    enum class Kind {
        started,    ///< a change began to be heard
        finished,   ///< it is complete
        unchanged,  ///< nothing to do: the new files say what plays already
        failed,     ///< a change was refused; what played plays on
        note,
        tripped,
        latched,
        stalled,   ///< a worker did not come back from a branch; its nodes are rebuilt as after a quarantine
        returned,  ///< quarantine
        clamped,
        event,   ///< something was applied: a knob, a MIDI message, a panic
        silent,  ///< the fade-out at the end is over
    };
    Kind kind = Kind::note;
    std::uint64_t stamp = 0;
    std::string node;  ///< id, where one is concerned
    std::string text;
    Event event{};
    std::string parameter;  ///< name of the knob, for EventKind::knob
    // started: how to repeat it
    const Graph* graph = nullptr;  ///< null: the patch did not change (a return from quarantine)
    std::uint64_t warm_from = 0;
    bool warmed = false;
    std::vector<std::string> swapped, returned;
};

struct EngineCounts {
    std::uint64_t swaps = 0;  ///< completed changes in which an instance replaced another
    std::uint64_t edits = 0;  ///< completed changes of the patch's text
    std::uint64_t trips = 0, failures = 0, stalls = 0;
};

/// How a replay wants a change: at this very sample, warmed from that one.
struct ChangeOrder {
    std::uint64_t stamp = Event::at_once;
    std::uint64_t warm_from = 0;
    bool warmed = true;
    std::vector<std::string> returning;
    bool offline = false;  ///< nobody waits: at the stamp, however long the callback takes to be ready
};

class Engine {
public:
    explicit Engine(const EngineConfig&);
    ~Engine();  ///< the stream must have stopped

    using Listener = std::function<void(const EngineNews&)>;
    void listen(Listener listener) { listener_ = std::move(listener); }

    AudioRoom& room() noexcept { return room_; }
    const AudioRoom& room() const noexcept { return room_; }

    // ------------------------------------------------------------------------------ control thread
    /// Makes the graph what plays. The first one builds at once (problems: nothing plays); a later one is
    /// taken up by tick(); of several that wait, the last wins.
    Problems play(Graph);
    /// Offline only: the change is armed before this returns.
    Problems play_as_ordered(std::optional<Graph>, const ChangeOrder&);
    /// Every change comes from a log from now on: nothing returns from quarantine by itself.
    void replay() noexcept { replaying_ = true; }
    /// Does what has come up. Every few milliseconds; offline after every block. Takes as long as warming
    /// takes.
    void tick();

    /// Moves a knob now. False: nothing plays, the value is no number, or the queue is full.
    bool set(const GraphTarget&, float value, float smooth_ms = -1.f, std::uint64_t stamp = Event::at_once);
    /// The event that moves this target of the playing patch; the stamp is `at_once` until you set it.
    Event event_for(const GraphTarget&, float value) const;
    bool post(const Event& event) { return room_.post(event); }
    /// False: the queue is full, try again.
    bool fade_out(float ms) { return room_.post({.kind = EventKind::fade_out, .value = ms}); }

    bool changing() const noexcept { return in_flight_ != nullptr || waiting_.has_value(); }
    bool silent() const noexcept { return silent_; }
    /// The arrangement that plays (during a fade: that will play); null before the first patch.
    const Arrangement* playing() const noexcept { return next_ ? next_.get() : now_.get(); }
    const EngineCounts& counts() const noexcept { return counts_; }
    const std::string& node_id(NodeKey key) const { return keys_.id(key); }

    /// How long a node stays in quarantine at least.
    static constexpr float return_after_ms = 100.f;

private:
    enum class Warmth { as_needed, cold };

    Problems begin(Graph, const ChangeOrder&, bool is_return, Warmth);
    void give_trips(const std::vector<std::string>& ids);
    void arm(Change, const ChangeOrder&, bool is_return, Warmth);
    WarmFailure warm(Warming&, std::int64_t samples, const ChangeOrder&);
    WarmFailure warm_to(Warming&, std::uint64_t end);
    void tell_of_past(const Warming&, std::uint64_t from, std::uint64_t end);
    std::uint64_t history_end(const Warming&) const;

    void collect();
    void take(const Report&);
    void tell_event(const Report&);
    std::string knob_name(NodeKey, std::int32_t param) const;
    void on_trip(const Report&);
    bool note_trip(NodeKey, std::uint64_t stamp);
    void on_stall(const Report&);
    bool is_heard(const Slot*) const;
    void retire(std::unique_ptr<Transition>);
    void free_retired();
    void on_started(const Report&);
    void remember_knobs();
    void forget_trips();
    void on_finished(const Report&);
    std::string what_finished(bool is_first) const;
    void on_failed(WarmFailure);
    void bring_back_the_tripped();
    void start_waiting();
    void say(EngineNews::Kind, std::uint64_t stamp, std::string text, std::string node = {});

    const EngineConfig config_;
    AudioRoom room_;
    Listener listener_;
    KeyTable keys_;
    KnobHistory knobs_;
    EngineCounts counts_;
    bool silent_ = false, replaying_ = false;

    Graph graph_;  // as resolved, without the delays that align paths
    std::unique_ptr<Arrangement> now_, next_;
    std::unique_ptr<Transition> current_;  // its plan and score are in use
    std::unique_ptr<Transition> in_flight_;
    bool begun_ = false;  // in_flight_ is heard
    std::vector<std::string> swapped_, returned_;
    ChangeOrder order_;
    bool is_return_ = false, is_edit_ = false;
    std::optional<Graph> next_graph_, waiting_;
    int attempts_ = 0;

    struct Tripped {
        std::uint64_t since = 0;
        bool latched = false;  // comes back with an edit only
        bool cold = false;     // the past blew it up again: come back without it
    };
    std::vector<std::unique_ptr<Transition>> retired_;  // a worker may still be in there
    std::map<NodeKey, Tripped> tripped_;
    std::map<NodeKey, Quarantine> trips_;  // the latest trips of each node, for the next instance
};

}  // namespace gainstage
