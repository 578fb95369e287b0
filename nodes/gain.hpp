#pragma once
/// Makes everything louder or quieter by a number of decibels.

#include "runtime/node.hpp"

namespace gainstage {

/// out = in * 10^(gain_db / 20). The ramp is straight in decibels, as a fader moves. At its lowest value:
/// silence.
class Gain final : public Node {
public:
    enum Param { gain_db };
    static constexpr float silent_db = -120.f;

    static const NodeType& type();

    explicit Gain(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override {}
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override {}

private:
    // fixed after construction
    const int channels_;
    // audio thread: the factor for the value that the knob last rested at
    float resting_db_ = 0.f, factor_ = 1.f;
};

}  // namespace gainstage
