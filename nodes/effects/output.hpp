#pragma once
/// Sends out sound: one or two channels of the interface, or of the file being rendered.

#include "runtime/node.hpp"

namespace gainstage {

/// Adds to the device's channels, which the engine has zeroed. Mono into two channels feeds both. Channels
/// that the device lacks are skipped.
class Output final : public Node {
public:
    static const NodeType& type();

    explicit Output(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    const std::vector<int> channels_;  ///< counted from 1, as the patch does
};

}  // namespace gainstage
