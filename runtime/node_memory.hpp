#pragma once
/// Resets a node's state to what it was when built, or to what it is at rest, or copies it from a twin.

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/nonblocking.hpp"
#include "runtime/state_list.hpp"

namespace gainstage {

class Node;

/// Keeps the spans that a node named, and what they held when it was built (long zeros are not stored). The
/// node must outlive it.
class NodeMemory {
public:
    /// What a reset writes. Immutable; twins may share it.
    struct Image {
        /// The beginning of a span.
        struct Part {
            std::size_t span, bytes;
            std::size_t first;  ///< where it begins in `kept`, or `zeros`
        };
        static constexpr std::size_t zeros = ~std::size_t{0};

        std::vector<Part> parts;
        std::vector<std::byte> kept;
    };

    /// Control thread, before the node's first sample.
    explicit NodeMemory(Node&);

    /// Control thread, while the node doesn't play. The state that the node has now becomes the one that
    /// reset() puts back, but for its clocks, which are as built.
    void keep();
    /// Control thread, while the node doesn't play. The same with the state of a twin, which this node then
    /// has.
    void keep(std::shared_ptr<const Image> of_twin);
    const std::shared_ptr<const Image>& image() const noexcept { return image_; }

    /// Audio thread. The node is as built, or as keep() found it; no NaN survives. Writes at most bytes().
    void reset() noexcept GAINSTAGE_REALTIME;
    /// Audio thread. The node goes on as the twin would. Copies what matters to the twin now, at most
    /// bytes(). REQUIRES: both nodes have the same type and were built from equal Setups and equal weights.
    void copy(const NodeMemory& twin) noexcept GAINSTAGE_REALTIME;

    /// Constant; any thread. Size of the whole state.
    std::size_t bytes() const noexcept { return bytes_; }
    /// Constant; any thread. Size of the scratch that the node named.
    std::size_t scratch_bytes() const noexcept { return scratch_bytes_; }
    /// Any thread, between calls of keep(). Size of what is kept for a reset.
    std::size_t kept_bytes() const noexcept { return image_->kept.size(); }

private:
    std::shared_ptr<const Image> image_of_state() const;
    void put_back(const Image::Part&) noexcept GAINSTAGE_REALTIME;

    static constexpr std::size_t most_kept_zeros = 64;  ///< longer spans of zeros are filled instead

    Node& node_;
    std::vector<StateSpan> spans_;
    std::size_t bytes_ = 0, scratch_bytes_ = 0;
    std::shared_ptr<const Image> image_;
};

}  // namespace gainstage
