#pragma once
/// Places a mono sound between left and right, or shifts the balance of a stereo sound.

#include "runtime/node.hpp"

namespace gainstage {

/// Mono: constant power (sine law): -3 dB on both sides in the middle, 0 dB on one side at the ends.
/// Stereo: balance: unity in the middle; the side away from the knob fades along a quarter cosine.
class Pan final : public Node {
public:
    enum Param { position };

    static const NodeType& type();

    explicit Pan(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    std::optional<std::int64_t> exact_memory_samples() const noexcept override { return 0; }

private:
    const bool stereo_;  ///< whether the cable that enters is
};

/// Factor of one side (-1 left, +1 right) at a position of -1..1.
float pan_factor(float position, float side) noexcept;
float balance_factor(float position, float side) noexcept;

}  // namespace gainstage
