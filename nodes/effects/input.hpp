#pragma once
/// Where sound comes in: one or two channels of the interface, or of the file being rendered.

#include "runtime/node.hpp"

namespace gainstage {

/// Passes only finite samples (others become 0, so that nothing behind it ever sees NaN). A channel that the
/// device lacks is silence.
class Input final : public Node {
public:
    static const NodeType& type();

    explicit Input(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override {}
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override {}

private:
    const std::vector<int> channels_;  ///< counted from 1, as the patch does
};

}  // namespace gainstage
