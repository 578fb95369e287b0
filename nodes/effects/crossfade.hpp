#pragma once
/// One knob from one sound to another.

#include "runtime/node.hpp"

namespace gainstage {

/// `linear` keeps the level of sounds that are alike (-6 dB each in the middle); `equal_power` that of sounds
/// that are not (-3 dB each). At the ends exactly a, exactly b.
class Crossfade final : public Node {
public:
    enum Param { position };
    enum Input { a, b };

    static const NodeType& type();

    explicit Crossfade(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override {}
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override {}

private:
    float factor(float amount) const noexcept;

    const int channels_;
    const bool equal_power_;
};

}  // namespace gainstage
