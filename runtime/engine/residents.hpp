#pragma once
/// Everything that the audio thread may reach, and when it may be freed.

#include <memory>
#include <vector>

#include "runtime/engine/change_in_flight.hpp"

namespace gainstage {

/// Owns what plays, the change on its way, and whatever a worker that was given up may still use. Control
/// thread.
///
/// INVARIANT: a plan, score or slot that the room can reach is owned here, once: by the change from armed to
/// fading, then by what plays, then, while a worker may still be in there, by the retired. What the room
/// handed back is freed when no worker is away.
class Residents {
public:
    /// The arrangement that plays, during a fade the one that leaves; null before the first patch.
    const Arrangement* playing() const noexcept { return arrangement_.get(); }
    const Transition* current() const noexcept { return transition_.get(); }
    /// The patch that plays, as resolved.
    const Graph& graph() const noexcept { return graph_; }
    /// Null where nothing is on its way.
    ChangeInFlight* change() const noexcept { return change_.get(); }

    /// The arrangement that is heard: from the first sample of a fade on, the one that comes.
    const Arrangement* heard() const noexcept;
    /// The arrangement that knobs are set in: the one that comes as soon as the room has it.
    const Arrangement* coming() const noexcept;

    /// REQUIRES: no other change is on its way.
    ChangeInFlight& admit(std::unique_ptr<ChangeInFlight>);
    /// The fade is over: what came plays; what played is freed, or kept if `worker_away`.
    void settle(bool worker_away);
    /// The change failed. Gives back what was asked for.
    ChangeRequest drop();
    /// Frees a change that the room does not have and the builder no longer works at, whatever its stage.
    void abandon() noexcept { change_.reset(); }
    /// No worker is away any more.
    void free_retired() { retired_.clear(); }
    bool has_retired() const noexcept { return !retired_.empty(); }

private:
    Graph graph_;
    std::unique_ptr<Arrangement> arrangement_;
    std::unique_ptr<Transition> transition_;  // its plan and score play
    std::unique_ptr<ChangeInFlight> change_;
    std::vector<std::unique_ptr<Transition>> retired_;
};

}  // namespace gainstage
