#pragma once
/// Whose fault it is that sound was lost.

#include <cstdint>
#include <string>
#include <vector>

namespace gainstage {

/// A node, and the share of the time of a block that it usually takes; 1: all of it.
struct NodeLoad {
    std::string node;  ///< id
    double load = 0.;
};

/// What is known of a stretch of the stream. Loads: 1 is all the time that a block has.
struct LoadFacts {
    std::uint64_t blocks = 0, late_blocks = 0;  ///< late: they took longer than they last
    float worst_load = 0.f, usual_load = 0.f;   ///< of a block
    int block_frames = 0;
    std::vector<NodeLoad> busiest = {};  ///< the busiest node first
};

/// One sentence, the verdict first: "too heavy for 128 frames: ..." or "not the patch: ...". Any thread.
std::string load_verdict(const LoadFacts&);

/// "opto 12.3 %, amp 3.1 %": the first few. Any thread.
std::string load_text(const std::vector<NodeLoad>&, std::size_t most);

}  // namespace gainstage
