#pragma once
/// A node's state in the hands of its owner: put back as it was built, or taken over from a twin.

#include <cstddef>
#include <vector>

#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

class Node;

/// Knows the spans that the node listed and what they held when it was built (zeros are not kept). The node
/// must outlive it.
class NodeMemory {
public:
    /// Control thread, before the node plays its first sample.
    explicit NodeMemory(Node&);

    /// Audio thread. The node is as it was built; no NaN survives. Bounded by bytes().
    void reset() noexcept GAINSTAGE_REALTIME;
    /// Audio thread. The node goes on as the twin would. Copies what matters to the twin now, at most
    /// bytes(). REQUIRES: both nodes are of one type, built from an equal Setup and equal weights.
    void copy(const NodeMemory& twin) noexcept GAINSTAGE_REALTIME;

    /// Constant; any thread. Size of the whole state.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    /// What a reset writes, at the beginning of a span.
    struct Built {
        std::byte* at;
        std::size_t bytes;
        std::size_t kept;  ///< where `kept_` has it
    };

    Node& node_;
    std::vector<StateSpan> spans_;
    std::size_t bytes_ = 0;
    std::vector<Built> zeros_, others_;
    std::vector<std::byte> kept_;
};

}  // namespace gainstage
