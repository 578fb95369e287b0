#pragma once
/// Brings in sound: one or two channels of the interface, or of the file being rendered.

#include "runtime/node.hpp"

namespace gainstage {

/// NaN and infinities become 0, so that no node behind it sees them. A channel that the device lacks is
/// silence.
class Input final : public Node {
public:
    static const NodeType& type();

    explicit Input(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    const std::vector<int> channels_;  ///< counted from 1, as the patch does
};

}  // namespace gainstage
