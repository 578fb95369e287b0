#pragma once
/// One two-pole filter whose cutoff may be swept by hand: low, high and band pass, notch, shelves, bell.

#include <array>
#include <optional>

#include "nodes/dsp/knobs.hpp"
#include "nodes/dsp/svf.hpp"
#include "runtime/node.hpp"

namespace gainstage {

/// gain_db is that of the shelf or the bell, in the other modes that of all that passes. Slopes of lowpass
/// and highpass are 12 dB per octave. While knobs move, coefficients are worked out anew at every sample;
/// cutoff and q travel on a logarithmic scale. A cutoff above 0.49 of the sample rate acts as that.
class Filter final : public Node {
public:
    enum Param { cutoff_hz, q, gain_db, param_count };

    static const NodeType& type();

    explicit Filter(const Setup&);
    void process(const Block&) noexcept GAINSTAGE_REALTIME override;
    void reset() noexcept GAINSTAGE_REALTIME override { state_ = {}; }
    void copy_state(const Node&) noexcept GAINSTAGE_REALTIME override;
    std::int64_t memory_samples() const noexcept override { return memory_samples_; }

private:
    void update(float cutoff, float resonance, float gain) noexcept;

    // fixed after construction
    const SvfMode mode_;
    const int channels_;
    const double sample_rate_hz_;
    const std::int64_t memory_samples_;
    // audio thread
    struct State {
        LogRamp cutoff, resonance;
        std::array<Svf, max_channels> svf;
    } state_;
    std::array<float, 3> knobs_{-1.f, -1.f, 0.f};  ///< for which the coefficients hold
    SvfCoefficients coefficients_;
};

}  // namespace gainstage
