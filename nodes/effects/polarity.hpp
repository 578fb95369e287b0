#pragma once
/// Turns a sound upside down.

#include "runtime/node.hpp"

namespace gainstage {

/// out = -in, or in when switched off. Switching runs through zero in 5 ms, so that it does not click.
class Polarity final : public Node {
public:
    enum Param { invert };
    static constexpr double turn_s = 0.005;

    static const NodeType& type();

    explicit Polarity(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override;
    void copy_state(const Node& twin) noexcept GAINSTAGE_REALTIME override;

private:
    // fixed after construction
    const int channels_;
    const std::uint32_t turn_samples_;
    // state, audio thread
    bool heard_ = false;  ///< since reset
    Ramp sign_;           ///< the factor, on its way between +1 and -1
};

}  // namespace gainstage
