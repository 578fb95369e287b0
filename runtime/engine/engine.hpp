#pragma once
/// The control side of a stream: builds what plays, changes it without a click, collects what is over.

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/engine/builder.hpp"
#include "runtime/engine/knob_history.hpp"
#include "runtime/engine/loss.hpp"
#include "runtime/engine/output_reports.hpp"
#include "runtime/engine/residents.hpp"
#include "runtime/engine/ward.hpp"
#include "runtime/realtime/audio_room.hpp"

namespace gainstage {

struct EngineConfig {
    RoomConfig room;
    /// Builds and warms what is to come; outlives the engine. Null: at once, on the control thread (offline).
    Builder* builder = nullptr;
    /// What a patch may take; one that takes more is refused. 0: no limit.
    std::size_t most_bytes = half_of_memory();
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
        guarded,  ///< an output turned its sound down; once a second at most
        event,    ///< something was applied: a knob, a scene, a MIDI message, a panic
        lost,     ///< a log of the stream would lack something
        silent,   ///< the fade-out at the end is over
    };
    Kind kind = Kind::note;
    std::uint64_t stamp = 0;
    std::string node;  ///< id, where one is concerned
    std::string text;
    Event event{};
    std::string parameter;  ///< name of the knob or of the scene, for EventKind::knob and scene
    /// failed, note: what the patch says wrong, with its place; null where the patch is not to blame.
    const Problem* problem = nullptr;
    // started: how to repeat it
    const Graph* graph = nullptr;  ///< null: the patch did not change (a return from quarantine)
    std::uint64_t warm_from = 0;
    bool warmed = false;
    std::vector<std::string> swapped, returned;
    Loss loss{};  ///< lost
};

struct EngineCounts {
    std::uint64_t swaps = 0;  ///< completed changes in which an instance replaced another
    std::uint64_t edits = 0;  ///< completed changes of the patch's text
    std::uint64_t trips = 0, failures = 0, stalls = 0;
    std::uint64_t moves_lost = 0;  ///< moves of knobs that newcomers were not warmed on
};

class Engine {
public:
    explicit Engine(const EngineConfig&);
    ~Engine();  ///< the stream must have stopped

    using Listener = std::function<void(const EngineNews&)>;
    void listen(Listener listener) { listener_ = std::move(listener); }

    AudioRoom& room() noexcept { return room_; }
    const AudioRoom& room() const noexcept { return room_; }

    // control thread
    /// Makes the graph what plays: tick() takes it up. Of several that wait, the last wins, and one that is
    /// still being built is given up for it, also where the newer one then can't be built. Whatever is wrong
    /// with it comes as news (`failed`), and then stands in refusal().
    void play(Graph);
    /// Something else waits for the builder, probably a newer patch. A change that is still being built stops
    /// and is built behind it, once.
    void stand_back() noexcept;
    /// The end is near: the builder's job ends soon, and what it was for is never heard. Call it before
    /// anything waits for the builder.
    void leave_unfinished() noexcept;
    /// Offline only, with a builder that builds at once: the change is armed before this returns.
    void play_as_ordered(std::optional<Graph>, const ChangeOrder&);
    /// Why the latest patch could not be built; empty where it could, or is still being built.
    const Problems& refusal() const noexcept { return refusal_; }
    /// Every change comes from a log from now on: nothing returns from quarantine by itself.
    void replay() noexcept { replaying_ = true; }
    /// Does what has come up, and never waits: the builder builds and warms. Every few milliseconds; offline
    /// after every block.
    void tick();
    /// The stream has stopped: hears what the last blocks had to tell.
    void conclude();

    /// Moves a knob now, or chooses a scene; `value` then counts for nothing, and `smooth_ms` is the time of
    /// its morph. False: nothing plays, the value is no number, the time is longer than 1,000 s, or the queue
    /// is full.
    bool set(const GraphTarget&, float value, float smooth_ms = -1.f, std::uint64_t stamp = Event::at_once);
    /// Moves a knob of the master now. False: the value is no number, the time is longer than 1,000 s, or the
    /// queue is full.
    bool set(MasterKnob, float value, float smooth_ms = -1.f, std::uint64_t stamp = Event::at_once);
    /// Where a knob, bypass or mute of the playing patch is going, in its unit; nothing where that is not
    /// known. As of the latest tick().
    std::optional<float> value_of(const GraphTarget&) const;
    /// Which scene plays, as of the latest tick(): "verse", "verse > solo 40 %" under a pedal; empty: none.
    std::string scene() const;
    /// The event that moves this target of the playing patch, or chooses this scene of it; the stamp is
    /// `at_once` until you set it. Not for the targets of program changes and pedals.
    Event event_for(const GraphTarget&, float value) const;
    bool post(const Event& event) { return room_.post(event); }
    /// False: the queue is full, try again.
    bool fade_out(float ms) { return room_.post({.kind = EventKind::fade_out, .value = ms}); }

    /// A change waits, is being prepared, or is heard and not complete.
    bool changing() const noexcept { return residents_.change() != nullptr || waiting_.has_value(); }
    /// A change waits, or the room does not have it yet.
    bool preparing() const noexcept {
        return waiting_.has_value() || (residents_.change() && residents_.change()->is_preparing());
    }
    bool silent() const noexcept { return silent_; }
    /// The arrangement that plays; from the moment the room has a change, the one that it leads to. Null
    /// before the first patch.
    const Arrangement* playing() const noexcept { return residents_.coming(); }
    const EngineCounts& counts() const noexcept { return counts_; }
    const std::string& node_id(NodeKey key) const { return keys_.id(key); }
    /// Node ids that it knows: those that play, and those that did lately.
    const KeyTable& keys() const noexcept { return keys_; }
    Builder& builder() noexcept { return *builder_; }
    /// Who lives in the room, and who is in quarantine.
    const Residents& residents() const noexcept { return residents_; }
    const Ward& ward() const noexcept { return ward_; }
    /// What the guards of the outputs did so far.
    std::vector<OutputReports::Total> guarded() const { return outputs_.totals(); }

    /// How long a node stays in quarantine at least.
    static constexpr float return_after_ms = 100.f;

private:
    // a change, in the order of its life
    void begin(ChangeRequest);
    template <class Step>
    void lead(Step);
    Builder::Task admit(ChangeRequest&&);
    void give_up(bool is_return);
    ChangeConfig change_config(const ChangeRequest&);
    void on_built();
    void refuse();
    void make_way();
    bool is_building() const noexcept {
        return residents_.change() && residents_.change()->stage() == ChangeInFlight::Stage::building;
    }
    void give_trips();
    void warm_on();
    std::uint64_t begin_of_past(std::uint64_t end);
    void tell_of_past(std::uint64_t from, std::uint64_t end);
    void on_warmed();
    void arm();
    void on_started(std::uint64_t stamp);
    void on_finished(std::uint64_t stamp);
    void on_failed(WarmFailure);
    std::string what_finished(bool is_first, const ChangeInFlight&) const;
    static std::string who_is_back(const ChangeInFlight&, std::uint64_t stamp);

    void wait_with_returns();
    KnobHistory::Newcomers newcomers_knobs() const;
    std::set<NodeKey> staying() const;
    const Slot* playing_slot(NodeKey) const;

    // what the room tells
    /// A change of state in the room, found by looking at the states themselves.
    struct Fact {
        enum class Kind { start, finish, failure, trip, stall, silent };
        Kind kind = Kind::start;
        std::uint64_t stamp = Slot::never;  // never: no fact
        const Slot* slot = nullptr;
        Tasks* tasks = nullptr;
    };
    void collect();
    void look_at_outputs();
    void act(std::uint64_t end);
    Fact next_fact() const;
    Fact change_fact() const;
    static Fact stall_fact(Plan*);
    void act_on(const Fact&);
    void on_trip(const Slot&);
    void on_stall(Tasks&);
    bool lose_branch(const Task&, std::uint64_t since);
    void tell_of_branch(const Task&, std::uint64_t since, bool latched);
    bool is_heard(const Slot*) const;
    bool is_worker_away();
    double latch_window_samples() const;
    void take_next(std::uint64_t stamp);
    void tell(const LogEntry&);
    void tell_or_note(const LogEntry&);
    void tell_untold();
    void tell_event(const Event&);
    void tell_lost(const Loss&, std::uint64_t stamp);
    void tell_lost_moves(const ChangeInFlight&, std::uint64_t stamp);
    std::string knob_name(NodeKey, std::int32_t param) const;
    std::string scene_name(std::int32_t scene) const;

    // a turn
    void forget_the_past();
    void forget_names();
    std::vector<bool> keys_in_use() const;
    std::uint64_t samples_of_past() const;
    void start_what_is_due();
    void start_waiting();
    void bring_back_the_tripped();

    void say(EngineNews::Kind, std::uint64_t stamp, std::string text, std::string node = {});
    void say(EngineNews::Kind, const Problem&);

    const EngineConfig config_;
    AtOnceBuilder at_once_;
    Builder* const builder_;
    AudioRoom room_;
    Listener listener_;
    KeyTable keys_;
    KnobHistory knobs_;
    EngineCounts counts_;
    bool silent_ = false, replaying_ = false;
    Residents residents_;
    std::optional<ChangeRequest> waiting_;
    Problems refusal_;
    Ward ward_;
    std::uint32_t scene_tables_ = 0;  // how many there were
    static constexpr std::uint64_t unheard = ~std::uint64_t{0};
    std::uint64_t rings_heard_ = unheard;  // of the room's bell
    Fact coming_;                          // the next change of state that is known; not yet acted on
    LogHole untold_;                       // what was not told, for there was no memory
    bool concluded_ = false;
    OutputReports outputs_;
    std::vector<std::uint64_t> unused_since_;  // per key, a stream sample; `never`: it is in use
    std::uint64_t next_forgetting_ = 0;        // stream sample
    std::uint64_t no_return_before_ = 0;       // stream sample: memory was short
};

}  // namespace gainstage
