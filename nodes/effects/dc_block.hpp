#pragma once
/// Takes out what doesn't move: the offset of a converter, a leak of a saturation.

#include "nodes/dsp/knobs.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// First-order highpass, -3 dB at cutoff_hz, by the trapezoidal rule (V. Zavalishin, "The Art of VA Filter
/// Design", 2012, section 3). Its state is in double: at 1 Hz a float would stand still 60 dB above silence.
class DcBlock final : public Node {
public:
    enum Param { cutoff_hz };
    static constexpr float lowest_hz = 1.f;

    static const NodeType& type();

    explicit DcBlock(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override;
    void copy_state(const Node& twin) noexcept GAINSTAGE_REALTIME override;
    /// At the lowest cutoff, since the knob may go there.
    std::int64_t memory_samples() const noexcept override;

private:
    double step_of(float hz) const noexcept;

    // fixed after construction
    const int channels_;
    const double sample_rate_hz_;
    // audio thread
    Mapped<double> step_;
    // state, audio thread
    std::array<double, max_channels> low_{};  ///< the part that is taken out, per channel
};

}  // namespace gainstage
