#include "runtime/realtime/knob_trail.hpp"

#include <algorithm>

namespace gainstage {

std::uint64_t KnobTrail::add(NodeKey key, std::int32_t param, const Ramp& ramp) noexcept {
    moves_[next_ % size] = {.key = key, .param = param, .ramp = ramp};
    return next_++;
}

bool KnobTrail::reaches(const Warming& warming) const noexcept {
    return next_ - warming.knob_sequence <= size;
}

std::uint64_t KnobTrail::move_due(Warming& warming, std::uint64_t end) const noexcept {
    for (; warming.knob_sequence < next_; ++warming.knob_sequence) {
        const Move& move = moves_[warming.knob_sequence % size];
        if (move.ramp.start > warming.time) return std::min(end, move.ramp.start);
        move_warm_knob(warming, move.key, move.param, move.ramp);
    }
    return end;
}

}  // namespace gainstage
