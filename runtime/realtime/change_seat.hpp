#pragma once
/// The audio thread's part of a change: what plays, what is to play next, and the fade between.

#include <cstdint>
#include <vector>

#include "runtime/realtime/crew.hpp"
#include "runtime/realtime/knob_trail.hpp"

namespace gainstage {

/// Who holds what. The control thread owns all of it and frees nothing that the seat may reach:
///
///     take()            begin()                finish_if_due()
///     ------> pending ----------> fading -----------------------> over
///                |                  |                              |
///                | fail             | plan, score: the change's    | plan, score: still the change's;
///                v                  | `during`, and those that     | the plan and score before, and
///              failed               | played before                | `during`, are the control thread's
///
/// Transition::stage is written last at each of these: from `over` or `failed` on the seat has let go.
/// Audio thread.
class ChangeSeat {
public:
    static constexpr std::uint64_t never = ~std::uint64_t{0};

    /// `crew`: null where the audio thread is alone. `max_frames`: longest piece.
    ChangeSeat(const KnobTrail& trail, Crew* crew, int max_frames)
        : trail_(trail), crew_(crew), max_frames_(max_frames) {}

    /// Null before the first patch.
    Plan* plan() const noexcept GAINSTAGE_REALTIME { return plan_; }
    Score* score() const noexcept GAINSTAGE_REALTIME { return score_; }
    /// The first sample of the latest fade.
    std::uint64_t fade_start() const noexcept GAINSTAGE_REALTIME { return fade_start_; }

    /// A change that waits for its sample, or until it is warm. REQUIRES: no other one does.
    void take(Transition&, std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// The next sample at which a piece must end.
    std::uint64_t next_cut(std::uint64_t now) const noexcept GAINSTAGE_REALTIME;
    /// True: the fade ended.
    bool finish_if_due(std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    enum class Due { no, now, failed };
    /// Whether the change begins now. One with a stamp of its own is warmed up to it here; `block_begin` is
    /// the first sample of the device's block.
    Due due(std::uint64_t now, std::uint64_t block_begin) noexcept GAINSTAGE_REALTIME;
    /// Begins the change that is due. Returns the knob moves that belong to it.
    const std::vector<KnobMove>& begin(std::uint64_t now) noexcept GAINSTAGE_REALTIME;
    /// After a block: newcomers gain a quarter of a block on the stream. True: a newcomer failed.
    bool catch_up(std::uint64_t now, int frames) noexcept GAINSTAGE_REALTIME;

private:
    void use(Plan&) noexcept GAINSTAGE_REALTIME;
    void inherit_knobs(TargetSlot&) noexcept GAINSTAGE_REALTIME;
    void take_scene() noexcept GAINSTAGE_REALTIME;
    WarmFailure warm_until(std::uint64_t end, std::uint64_t budget) noexcept GAINSTAGE_REALTIME;
    void fail(WarmFailure, std::uint64_t now) noexcept GAINSTAGE_REALTIME;

    const KnobTrail& trail_;
    Crew* const crew_;
    const int max_frames_;
    Plan* plan_ = nullptr;
    Score* score_ = nullptr;
    Transition* pending_ = nullptr;
    Transition* fading_ = nullptr;
    bool warm_ = false;  // pending_ has caught up
    std::uint64_t fade_start_ = 0;
};

}  // namespace gainstage
