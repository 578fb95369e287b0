#include "runtime/control/load_verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gainstage {

namespace {

/// A patch whose usual block takes more than this is late as soon as anything else happens.
constexpr float heavy_load = 0.7f;
/// Blocks that are late because of something else are rarer.
constexpr double heavy_share = 0.01;
/// From here on a block is nearly late.
constexpr float close_load = 0.8f;

double percent(double share) {
    return share * 100.;
}

std::string too_heavy(const LoadFacts& facts) {
    const std::string nodes =
        facts.busiest.empty() ? "" : fmt::format("; busiest: {}", load_text(facts.busiest, 3));
    return fmt::format(
        "too heavy for {} frames: {:.0f} %, usually {:.0f} %, of the time that a block has{}. Longer blocks "
        "(--block; with JACK its server's) or a lighter patch help",
        facts.block_frames, percent(facts.worst_load), percent(facts.usual_load), nodes);
}

}  // namespace

std::string load_verdict(const LoadFacts& facts) {
    const bool is_often =
        static_cast<double>(facts.late_blocks) >= heavy_share * static_cast<double>(facts.blocks);
    if (facts.late_blocks > 0 && (is_often || facts.usual_load > heavy_load)) return too_heavy(facts);
    if (facts.late_blocks > 0)
        return fmt::format(
            "hardly the patch: {} of {} blocks took up to {:.0f} % of their time, but usually they take "
            "{:.0f} "
            "%; most likely another program held the processor",
            facts.late_blocks, facts.blocks, percent(facts.worst_load), percent(facts.usual_load));
    if (facts.worst_load >= close_load)
        return fmt::format(
            "nearly too heavy for {} frames: a block took {:.0f} % of its time. Longer blocks "
            "(--block; with JACK its server's) or a lighter patch help",
            facts.block_frames, percent(facts.worst_load));
    return fmt::format(
        "late callbacks, not because of the patch: no block took more than {:.0f} % of its time. Another "
        "program, or a missing right to real-time priority, holds up the audio thread",
        percent(facts.worst_load));
}

std::string load_text(const std::vector<NodeLoad>& nodes, std::size_t most) {
    std::string text;
    for (std::size_t k = 0; k < std::min(most, nodes.size()); ++k)
        text += fmt::format("{}{} {:.1f} %", k ? ", " : "", nodes[k].node, percent(nodes[k].load));
    return text;
}

}  // namespace gainstage
