#pragma once
/// Removes the constant offset that a converter or an asymmetric saturation leaves.

#include "nodes/dsp/knobs.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// First-order highpass, -3 dB at cutoff_hz, by the trapezoidal rule (V. Zavalishin, "The Art of VA Filter
/// Design", 2012, section 3). The state is in double: at 1 Hz a float would stop 60 dB above silence.
class DcBlock final : public Node {
public:
    enum Param { cutoff_hz };
    static constexpr float lowest_hz = 1.f;

    static const NodeType& type();

    explicit DcBlock(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void list_state(StateList& list) override { list.add(low_); }
    /// Of the lowest cutoff: the knob may go there.
    std::int64_t memory_samples() const noexcept override;

private:
    double step_of(float hz) const noexcept;

    // fixed after construction
    const int channels_;
    const double sample_rate_hz_;
    // audio thread
    Mapped<double> step_;
    // state, audio thread
    std::array<double, max_channels> low_{};  ///< the part that is removed, per channel
};

}  // namespace gainstage
