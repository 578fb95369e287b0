#pragma once
/// The life of one change of what plays, from the order to the end of its fade.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/knob_history.hpp"
#include "runtime/plan/change.hpp"

namespace gainstage {

/// When a change begins. The default: as soon as it is ready. A replay names the very samples.
struct ChangeOrder {
    std::uint64_t stamp = Event::at_once;  ///< first sample of the fade
    std::uint64_t warm_from = 0;           ///< replay: first sample of the past that newcomers are run on
    bool warmed = true;                    ///< replay: false where newcomers began without a past
    std::vector<std::string> returning;    ///< ids of nodes that come back from quarantine
    bool offline = false;  ///< nobody waits: begins at the stamp, however long the callback takes
};

struct ChangeRequest {
    Graph graph;  ///< as resolved, without the delays that align paths
    ChangeOrder order;
    bool is_return = false;   ///< the patch stays; only nodes come back from quarantine
    bool cold = false;        ///< newcomers begin without a past
    int attempts = 0;         ///< how often this change was too late before
    bool stood_back = false;  ///< stopped once while it was built (Engine::stand_back)
    bool supersedes = false;  ///< another one was given up for it. So it is built to its end, or edits that
                              ///< come faster than they can be built would never be heard
};

/// One change. The stages, and who owns what the change has built:
///
///     building -> warming -> armed -> fading -> done
///         |          |         |
///         +----------+---------+------> failed
///
///   building  a job of the builder writes it; nobody else looks at what is built
///   warming   built; jobs run the newcomers over the past, leg by leg. Between two legs the control thread
///             reads and writes all of it
///   armed     the room has the transition and catches up with the stream; the control thread only reads
///   fading    the room plays it; the control thread only reads
///   done      what was built has gone to the residents (finish())
///   failed    what was built is freed; the room never had it, or has handed it back
///
/// INVARIANT, checked at every step (std::logic_error): arrangement and transition are there from warming to
/// fading and in no other stage; a job is at work only in building and warming; only the arrows above are
/// taken, so that every change ends done or failed, once.
///
/// All calls: control thread, but for build() and warm(), which are jobs of the builder.
class ChangeInFlight {
public:
    enum class Stage { building, warming, armed, fading, done, failed };

    ChangeInFlight(ChangeRequest, const KeyTable& keys);

    /// Job. `old`: what plays; null before the first patch. Both are only read.
    void build(const Arrangement* old, const ChangeConfig&);
    /// Job. Runs the newcomers up to stream sample `end`.
    void warm(KnobPassage, std::uint64_t end, int max_frames);

    /// Nobody waits for it any more: the job that has it ends soon, and so does one that is still to come.
    void give_up() noexcept { given_up_.store(true, std::memory_order_relaxed); }
    /// The building job is over. False: it failed, see problems(), or it was given up on its way.
    bool be_built();
    bool is_given_up() const noexcept { return given_up_.load(std::memory_order_relaxed); }
    bool was_given_up() const noexcept { return was_given_up_; }
    /// A leg of warming is handed to the builder; the job is over.
    void set_off();
    void come_back();
    /// Where newcomers begin, before the first leg. The knobs are set.
    void start_from(const KnobHistory&, std::uint64_t sample);
    /// Nothing is left to do before the room gets it.
    void be_ready();
    bool is_ready() const noexcept { return ready_; }
    void be_armed();
    void begin();
    /// The fade is over: gives what was built to its next owner.
    struct Built {
        Graph graph;
        std::unique_ptr<Arrangement> arrangement;
        std::unique_ptr<Transition> transition;
    };
    Built finish();
    /// Frees what was built; gives back what was asked for, for the next attempt.
    ChangeRequest fail();

    Stage stage() const noexcept { return stage_; }
    /// The builder or the control thread still prepares it; the room does not know it yet.
    bool is_preparing() const noexcept { return stage_ == Stage::building || stage_ == Stage::warming; }
    const ChangeRequest& request() const noexcept { return request_; }
    /// Node ids with those of this change. From warming on.
    const KeyTable& keys() const noexcept { return keys_; }
    /// Null before warming, and after the end.
    const Arrangement* arrangement() const noexcept { return built() ? arrangement_.get() : nullptr; }
    Transition* transition() const noexcept { return built() ? change_.transition.get() : nullptr; }
    /// Null where nothing needs the past.
    Warming* warming() const noexcept { return built() ? change_.transition->warming.get() : nullptr; }
    /// How much of the past the newcomers want, in samples.
    std::int64_t warm_samples() const noexcept { return change_.warm_samples; }
    int legs() const noexcept { return legs_; }
    const std::vector<std::string>& swapped() const noexcept { return change_.swapped; }
    /// Of the building: errors where it failed, else notes.
    const Problems& problems() const noexcept { return problems_; }
    /// It failed because there was no memory to build it: it may work later.
    bool lacks_memory() const noexcept { return lacks_memory_; }
    WarmFailure warm_failure() const noexcept { return warm_failure_; }
    /// A newcomer's own output was bad while it was warmed. From warming on.
    bool newcomer_tripped() const noexcept;

private:
    bool built() const noexcept {
        return stage_ == Stage::warming || stage_ == Stage::armed || stage_ == Stage::fading;
    }
    void blame(const char* cause) noexcept;
    void be_without_memory() noexcept;
    void move_to(Stage);
    void check_step(Stage) const;
    void check() const;

    Stage stage_ = Stage::building;
    bool at_work_ = true;  // a job of the builder has it
    bool ready_ = false;
    int legs_ = 0;
    ChangeRequest request_;
    KeyTable keys_;
    std::unique_ptr<Arrangement> arrangement_;
    Change change_;
    Problems problems_;
    Problems no_memory_;  // made while there is memory
    bool lacks_memory_ = false;
    std::atomic<bool> given_up_{false};
    bool was_given_up_ = false;  // by the building job
    WarmFailure warm_failure_ = WarmFailure::none;
};

}  // namespace gainstage
