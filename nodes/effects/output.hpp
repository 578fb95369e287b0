#pragma once
/// Where sound goes out: one or two channels of the interface, or of the file being rendered.

#include "runtime/node.hpp"

namespace gainstage {

/// Adds to the device's channels (which the engine zeroed before). Mono into two channels feeds both.
/// Channels that the device lacks are left out.
class Output final : public Node {
public:
    static const NodeType& type();

    explicit Output(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override {}
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override {}

private:
    const std::vector<int> channels_;  ///< counted from 1, as the patch does
};

}  // namespace gainstage
