#pragma once
/// The latest moves of all knobs: newcomers that catch up with the stream make them too.

#include <cstdint>
#include <vector>

#include "runtime/realtime/transition.hpp"

namespace gainstage {

/// A ring. Moves are numbered; the control thread knows them by the same numbers (Report::sequence). Audio
/// thread; the constructor allocates all there is.
class KnobTrail {
public:
    static constexpr std::uint64_t size = 4096;

    KnobTrail() : moves_(size) {}

    /// Returns the number of the move.
    std::uint64_t add(NodeKey, std::int32_t param, const Ramp&) noexcept GAINSTAGE_REALTIME;
    /// The ring still holds every move that the warming has not made.
    bool reaches(const Warming&) const noexcept GAINSTAGE_REALTIME;
    /// Makes the moves up to and including the warming's present time. Returns the sample of the next one, at
    /// most `end`.
    std::uint64_t move_due(Warming&, std::uint64_t end) const noexcept GAINSTAGE_REALTIME;

private:
    struct Move {
        NodeKey key = 0;
        std::int32_t param = 0;
        Ramp ramp{};
    };
    std::vector<Move> moves_;
    std::uint64_t next_ = 0;
};

}  // namespace gainstage
