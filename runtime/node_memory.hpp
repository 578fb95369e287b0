#pragma once
/// Resets a node's state to what it was when built, or copies it from a twin.

#include <cstddef>
#include <vector>

#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

class Node;

/// Keeps the spans that a node named, and what they held when it was built (long zeros are not stored). The
/// node must outlive it.
class NodeMemory {
public:
    /// Control thread, before the node's first sample.
    explicit NodeMemory(Node&);

    /// Audio thread. The node is as built; no NaN survives. Writes at most bytes().
    void reset() noexcept GAINSTAGE_REALTIME;
    /// Audio thread. The node goes on as the twin would. Copies what matters to the twin now, at most
    /// bytes(). REQUIRES: both nodes have the same type and were built from equal Setups and equal weights.
    void copy(const NodeMemory& twin) noexcept GAINSTAGE_REALTIME;

    /// Constant; any thread. Size of the whole state.
    std::size_t bytes() const noexcept { return bytes_; }

private:
    /// What a reset writes to the beginning of a span.
    struct Built {
        std::byte* at;
        std::size_t bytes;
        std::size_t kept;  ///< where it begins in kept_, or `zeros`
    };
    static constexpr std::size_t zeros = ~std::size_t{0};
    static constexpr std::size_t most_kept_zeros = 64;  ///< longer spans of zeros are filled instead

    Node& node_;
    std::vector<StateSpan> spans_;
    std::size_t bytes_ = 0;
    std::vector<Built> built_;
    std::vector<std::byte> kept_;
};

}  // namespace gainstage
