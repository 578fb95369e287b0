#include "runtime/engine/trip_text.hpp"

#include <fmt/format.h>

#include <cmath>

#include "runtime/graph/loop_text.hpp"
#include "runtime/plan/find_loop.hpp"
#include "runtime/realtime/guard.hpp"

namespace gainstage {

namespace {

std::string cause_text(const Arrangement& heard, const Slot& slot, const std::vector<int>& loop) {
    const Quarantine& quarantine = slot.quarantine;
    if (quarantine.cause == TripCause::not_finite) return "its output was not a number";
    std::string loud =
        fmt::format("it got louder than {:+.3g} dBFS", 20. * std::log10(double{quarantine.ceiling}));
    if (quarantine.ceiling >= plain_ceiling) return loud;
    if (loop.empty()) return loud + ", which is ceiling_dbfs of the patch";
    return fmt::format("{}, in a loop that grows ({}); turn the loop down", loud,
                       loop_text(heard.graph, loop));
}

}  // namespace

std::string trip_text(const Arrangement& heard, const Slot& slot) {
    const int node = heard.node_of(slot.key);
    const std::vector<int> loop = node >= 0 ? find_loop(heard, node) : std::vector<int>{};
    const GraphNode& description = slot.description;
    // A delay in a loop hears its input only after it has played.
    const bool has_dry = !description.input_channels.empty() && !(slot.breaker && !loop.empty());
    const std::string cause = cause_text(heard, slot, loop);
    if (!slot.quarantine.latched)
        return fmt::format("{}: {}; {} until it is rebuilt", description.id, cause,
                           has_dry ? "its input is heard instead" : "it is silent");
    return fmt::format("{}: {} for the third time in ten seconds; it stays {} until the patch{} changes",
                       description.id, cause, has_dry ? "bypassed" : "silent",
                       description.model ? " or its model" : "");
}

}  // namespace gainstage
