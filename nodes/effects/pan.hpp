#pragma once
/// Puts a mono sound between left and right, or shifts the balance of a stereo one.

#include "runtime/node.hpp"

namespace gainstage {

/// Mono: constant power (sine law), -3 dB on either side in the middle, 0 dB on one side at the ends.
/// Stereo: balance; unity in the middle, the side that is turned away from fades along a quarter cosine.
class Pan final : public Node {
public:
    enum Param { position };

    static const NodeType& type();

    explicit Pan(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override {}
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override {}

private:
    const bool stereo_;  ///< the cable that enters
};

/// Factor of one side (-1 left, +1 right) at a position of -1..1.
float pan_factor(float position, float side) noexcept;
float balance_factor(float position, float side) noexcept;

}  // namespace gainstage
